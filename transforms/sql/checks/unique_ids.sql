-- Every row of a table has an id, and no id stands twice in its table.
--
-- What the tables of crm are made of, and what they are joined with: if ids are unique here, they
-- are unique there. Each is counted by itself: numbers compare faster than the text they have to
-- become when the tables are put together.
--
-- severity: error

select 'leads' as table_name, id, count(*) as rows
from staging.leads
group by id
having count(*) > 1 or id is null

union all

select 'persons' as table_name, id::varchar as id, count(*) as rows
from staging.persons
group by id
having count(*) > 1 or id is null

union all

select 'organizations' as table_name, id::varchar as id, count(*) as rows
from staging.organizations
group by id
having count(*) > 1 or id is null

union all

select 'deals' as table_name, id::varchar as id, count(*) as rows
from staging.deals
group by id
having count(*) > 1 or id is null

union all

-- custom columns
select 'leads (custom fields)' as table_name, id, count(*) as rows
from staging.leads_custom_fields
group by id
having count(*) > 1 or id is null

union all

select 'persons (custom fields)' as table_name, id::varchar as id, count(*) as rows
from staging.persons_custom_fields
group by id
having count(*) > 1 or id is null

union all

select 'organizations (custom fields)' as table_name, id::varchar as id, count(*) as rows
from staging.organizations_custom_fields
group by id
having count(*) > 1 or id is null

union all

select 'deals (custom fields)' as table_name, id::varchar as id, count(*) as rows
from staging.deals_custom_fields
group by id
having count(*) > 1 or id is null

union all

-- references
select 'users' as table_name, id::varchar as id, count(*) as rows
from staging.users
group by id
having count(*) > 1 or id is null

union all

select 'currencies' as table_name, id::varchar as id, count(*) as rows
from staging.currencies
group by id
having count(*) > 1 or id is null

union all

select 'pipelines' as table_name, id::varchar as id, count(*) as rows
from staging.pipelines
group by id
having count(*) > 1 or id is null

union all

select 'stages' as table_name, id::varchar as id, count(*) as rows
from staging.stages
group by id
having count(*) > 1 or id is null

union all

select 'lead_labels' as table_name, id, count(*) as rows
from staging.lead_labels
group by id
having count(*) > 1 or id is null

union all

select 'lead_sources' as table_name, name as id, count(*) as rows
from staging.lead_sources
group by name
having count(*) > 1 or name is null

union all

-- what is gone
select 'tombstones of ' || entity as table_name, id, count(*) as rows
from ops.tombstones
group by entity, id
having count(*) > 1 or id is null
