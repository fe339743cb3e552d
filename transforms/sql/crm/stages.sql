-- One row per stage of a pipeline, past ones included.
--
-- materialized: view
-- columns:
--   id: Pipedrive's id
--   name: Name
--   pipeline_id: The pipeline it is a stage of
--   pipeline_name: Name of the pipeline
--   order_nr: Place within the pipeline
--   deal_probability: Probability of its deals in percent, where they have none of their own
--   is_deal_rot_enabled: Whether deals can rot in it
--   days_to_rotten: Days without a change after which a deal rots
--   is_deleted: Whether it is deleted, or no longer listed
--   add_time: When it was created
--   update_time: When it last changed

select
    stages.id,
    stages.name,
    stages.pipeline_id,
    pipelines.name as pipeline_name,
    stages.order_nr,
    stages.deal_probability,
    stages.is_deal_rot_enabled,
    stages.days_to_rotten,
    stages.is_deleted,
    stages.add_time,
    stages.update_time
from staging.stages as stages
left join staging.pipelines as pipelines on pipelines.id = stages.pipeline_id
order by pipelines.order_nr, stages.pipeline_id, stages.order_nr, stages.id
