-- One row: how many leads became a deal, and what became of these deals.
--
-- A deal names the lead it was made from, also where that lead was gone before it was ever loaded;
-- a lead that is marked as converted names its deal. A deal that was merged counts as the one it
-- was merged into.

with recursive survivors as (
    select id, id as deal_id, 0 as steps
    from deals
    union all
    select survivors.id, deals.merged_into_id, survivors.steps + 1
    from survivors
    inner join deals on deals.id = survivors.deal_id
    where deals.merged_into_id is not null and survivors.steps < 20
),

survivor as (
    select id, arg_max(deal_id, steps) as deal_id
    from survivors
    group by id
),

pairs as (
    select source_lead_id as lead_id, id as deal_id
    from deals
    where source_lead_id is not null
    union
    select id, converted_deal_id
    from leads
    where status = 'converted'
),

-- one row per lead that became a deal: the newest one
converted as (
    select pairs.lead_id, max_by(deals.status, deals.id) as status
    from pairs
    left join survivor on survivor.id = pairs.deal_id
    left join deals on deals.id = coalesce(survivor.deal_id, pairs.deal_id)
    group by pairs.lead_id
)

select
    (select count(*) from deals) as deals,
    (
        select count(*) from sync_steps where step = 'read' and entity = 'deals' and error is null
    ) > 0 as is_read,
    (select count(*) from (select id from leads union select lead_id from converted)) as leads,
    (select count(*) from converted where lead_id not in (select id from leads)) as never_loaded,
    (select count(*) from converted) as converted,
    (select count(*) from converted where status = 'won') as won,
    (select count(*) from converted where status = 'lost') as lost,
    (select count(*) from converted where status = 'open') as open_deals
