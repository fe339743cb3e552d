-- What a record refers to is there.
--
-- Of records that are not gone themselves, and where the table they refer to holds anything: it
-- may not be loaded.
--
-- severity: warn

with leads as (
    select leads.*
    from staging.leads as leads
    anti join ops.tombstones as gone on gone.entity = 'leads' and gone.id = leads.id
),

persons as (
    select persons.*
    from staging.persons as persons
    anti join ops.tombstones as gone
        on gone.entity = 'persons' and try_cast(gone.id as bigint) = persons.id
    where not coalesce(persons.is_deleted, false)
),

organizations as (
    select organizations.*
    from staging.organizations as organizations
    anti join ops.tombstones as gone
        on gone.entity = 'organizations' and try_cast(gone.id as bigint) = organizations.id
    where not coalesce(organizations.is_deleted, false)
),

deals as (
    select deals.*
    from staging.deals as deals
    anti join ops.tombstones as gone
        on gone.entity = 'deals' and try_cast(gone.id as bigint) = deals.id
    where not coalesce(deals.is_deleted, false) and deals.status is distinct from 'deleted'
)

select 'leads' as entity, id, 'person_id' as column_name, person_id as refers_to
from leads
anti join staging.persons as there on there.id = leads.person_id
where person_id is not null and exists (select 1 from staging.persons)

union all

select 'leads', id, 'organization_id', organization_id
from leads
anti join staging.organizations as there on there.id = leads.organization_id
where organization_id is not null and exists (select 1 from staging.organizations)

union all

select 'leads', id, 'owner_id', owner_id
from leads
anti join staging.users as there on there.id = leads.owner_id
where owner_id is not null and exists (select 1 from staging.users)

union all

select 'persons', id::varchar, 'organization_id', organization_id
from persons
anti join staging.organizations as there on there.id = persons.organization_id
where organization_id is not null and exists (select 1 from staging.organizations)

union all

select 'persons', id::varchar, 'owner_id', owner_id
from persons
anti join staging.users as there on there.id = persons.owner_id
where owner_id is not null and exists (select 1 from staging.users)

union all

select 'organizations', id::varchar, 'owner_id', owner_id
from organizations
anti join staging.users as there on there.id = organizations.owner_id
where owner_id is not null and exists (select 1 from staging.users)

union all

select 'deals', id::varchar, 'person_id', person_id
from deals
anti join staging.persons as there on there.id = deals.person_id
where person_id is not null and exists (select 1 from staging.persons)

union all

select 'deals', id::varchar, 'organization_id', organization_id
from deals
anti join staging.organizations as there on there.id = deals.organization_id
where organization_id is not null and exists (select 1 from staging.organizations)

union all

select 'deals', id::varchar, 'pipeline_id', pipeline_id
from deals
anti join staging.pipelines as there on there.id = deals.pipeline_id
where pipeline_id is not null and exists (select 1 from staging.pipelines)

union all

select 'deals', id::varchar, 'stage_id', stage_id
from deals
anti join staging.stages as there on there.id = deals.stage_id
where stage_id is not null and exists (select 1 from staging.stages)

union all

select 'deals', id::varchar, 'owner_id', owner_id
from deals
anti join staging.users as there on there.id = deals.owner_id
where owner_id is not null and exists (select 1 from staging.users)
