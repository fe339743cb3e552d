"""Pipelines, stages and deals at the start. What the deals need of chance is theirs alone."""

from datetime import datetime, timedelta

from sources.sandbox import words
from sources.sandbox.account import Account
from sources.sandbox.records import Deal, Pipeline, Stage
from sources.sandbox.seeder import Seeder

_STATUSES = ("open", "won", "lost", "open")


def add_pipelines(account: Account, start: datetime) -> None:
    """Add the pipelines and stages; the first pipeline was never changed."""
    for number, (name, stages) in enumerate(words.PIPELINES, 1):
        account.pipelines[number] = Pipeline(
            id=number,
            name=name,
            order_nr=number,
            is_deal_probability_enabled=number > 1,
            add_time=start,
            update_time=None if number == 1 else start + timedelta(days=number),
        )
        for order_nr, stage in enumerate(stages, 1):
            stage_id = len(account.stages) + 1
            is_rotting = number > 1 and order_nr == 1
            account.stages[stage_id] = Stage(
                id=stage_id,
                name=stage,
                pipeline_id=number,
                order_nr=order_nr,
                deal_probability=100 if number == 1 else 30 * order_nr,
                is_deal_rot_enabled=is_rotting,
                days_to_rotten=14 if is_rotting else None,
                add_time=start,
                update_time=start + timedelta(hours=order_nr),
            )


class DealSeeder(Seeder):
    """Makes deals of every status out of those that are there, and adds the archived ones."""

    def fill(self) -> None:
        """Complete the deals and add the archived ones with custom values of their own."""
        present = list(self.account.deals.values())
        archived = self._archived(self.options.archived_deals, len(present))
        for number, deal in enumerate([*present, *archived]):
            self._complete(deal, number)
        self.set_custom("deal", archived)

    def _archived(self, count: int, present: int) -> list[Deal]:
        stage = self.account.first_stage()
        for number, (added, updated) in enumerate(self.times(count), present + 1):
            archived = updated
            if not self.options.archive_moves_update_time:
                archived += timedelta(hours=1)
            self.account.deals[number] = Deal(
                id=number,
                title=f"Archived deal {number}",
                creator_user_id=self.account.me.id,
                pipeline_id=stage.pipeline_id,
                stage_id=stage.id,
                owner_id=self.pick(self.account.users).id,
                add_time=added,
                update_time=updated,
                person_id=self.pick(self.person_ids),
                value=self.money(),
                is_archived=True,
                archive_time=archived,
            )
        return [deal for deal in self.account.deals.values() if deal.id > present]

    def _complete(self, deal: Deal, number: int) -> None:
        """Give the deal its place, its end and where it came from; the times it has stay."""
        stage = self.pick(list(self.account.stages.values()))
        deal.pipeline_id, deal.stage_id = stage.pipeline_id, stage.id
        deal.creator_user_id = self.pick(self.account.users).id
        deal.status = _STATUSES[number % len(_STATUSES)]
        changed = deal.update_time or deal.add_time
        if deal.status == "won":
            deal.close_time = deal.won_time = changed
        if deal.status == "lost":
            deal.close_time = deal.lost_time = changed
            deal.lost_reason = words.LOST_REASONS[number // 4 % len(words.LOST_REASONS)]
        if self.is_so(0.6):
            deal.stage_change_time = changed
        if self.is_so(0.6):
            deal.organization_id = self.pick(self.organization_ids)
        if self.is_so(0.5):
            deal.probability = self.pick((0, 10, 65, 100))
        if self.is_so(0.6):
            deal.expected_close_date = self.pick(words.DATES[:3])
        deal.label_ids = self.labels("deal")
        deal.visible_to = self.pick((1, 3, 3, 5, 7))
        if self.is_so(0.4):
            deal.origin, deal.origin_id = "API", f"app-{number}"
        if self.is_so(0.5):
            channels = self.account.field("deal", "channel").options or []
            deal.channel = int(self.pick(channels).id)
            deal.channel_id = f"campaign {number}"
