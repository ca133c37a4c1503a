"""A job opens its candidate as the options say."""

from convcheck.campaign import job
from convcheck.campaign.options import Options
from convcheck.execution import InProcessCandidate
from convcheck.plugin.registry import load


def test_a_candidate_that_is_not_trusted_is_not_to_see_the_folder_of_the_run(tmp_path, monkeypatch):
    asked = {}

    def opened(spec, **options):
        asked.update(options)
        return InProcessCandidate(lambda: load(spec))

    monkeypatch.setattr(job, "open_candidate", opened)
    job.Job("numpy", Options(specs=("numpy",), untrusted=True), journal=tmp_path / "run" / "journal").open()
    assert (asked["untrusted"], asked["hidden"]) == (True, (tmp_path / "run",))
