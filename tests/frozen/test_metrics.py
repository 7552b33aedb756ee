"""The metrics that dashboards and alerts read: names, types and labels, not values."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.frozen import snapshot
from tests.frozen.service import Service


@pytest.mark.usefixtures("jobs")
def test_the_metrics_stay(service: Service) -> None:
    found = set[str]()
    for family in text_string_to_metric_families(service.client.get("/metrics").text):
        found.add(f"{family.type:8}{family.name}")
        found |= {f"sample  {sample.name}{{{', '.join(sorted(sample.labels))}}}" for sample in family.samples}
    snapshot.check("metrics.txt", snapshot.as_lines(found))
