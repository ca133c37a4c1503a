import re
import shlex
import subprocess
from dataclasses import replace

import pytest

from convcheck.model.diagnosis import Diagnosis
from convcheck.model.levels import MEANINGS, Level
from convcheck.model.reproduction import Reproduction
from convcheck.report.discrepancies import details, diagnosis, discrepancies
from convcheck.report.heat_maps import as_text
from convcheck.report.levels import opening
from convcheck.report.replaying import replay_arguments, replay_command
from convcheck.report.sentence import sentence_of
from convcheck_reference.clauses import clause
from full_record import AWKWARD, COMPLETE, FIGURES, FINDINGS, SHOWN, TOKEN, WRONG
from read_tables import plain

INEXACT, STOPPED = FINDINGS[1:3]


def changed(finding, **fields):
    return replace(finding, reproduction=replace(finding.reproduction, **fields))


def test_the_details_say_everything_about_a_finding():
    broken = clause("C2D-SHAPE-1")
    assert details(changed(COMPLETE, script="reproduce_1.py")) == [
        ("clause", f"C2D-SHAPE-1 {broken.title}: {broken.text}"),
        ("level", f"computes: {MEANINGS[Level.COMPUTES]}"),
        ("status", "fail"),
        ("layer", "Conv2d(1, 1, kernel_size=1)"),
        ("smallest case", TOKEN),
        ("what is wrong", AWKWARD),
        ("worst element", "(0, 0, 1, 1)"),
        ("expected", "1.5 ± 0.25"),
        ("got", "-0.0"),
        ("wrong elements", "1 of 4: the last column"),
        ("error / bound", "inf"),
        (
            "promise",
            (
                "every failure is explained by: subnormals flushed (12 failing and 40 fresh cases); declare "
                'profiles={ "float32": Profile(), }'
            ),
        ),
        ("failure condition", f"fails iff groups > 1 and bias{FIGURES}"),
        ("makes no difference", "any other value of dilation, stride_w or batch fails as well, one at a time"),
        (
            "known defect",
            "behaves like no bias where there are groups (bias-lost: equal in 20 cases, 12 of them wrong)",
        ),
        ("known defect", "behaves like a bias of zeros (bias-zero: equal in 20 cases, 5 of them wrong)"),
        ("localization", "the last column, in v1,x=1x1x9x9,out=1,k=1"),
        ("cross-check", "torch agrees with the reference"),
        ("failing cases", "3 (float32, float64)"),
        ("also affects", "grad_input, grad_bias"),
        ("other clauses", "C2D-PAD-1"),
        ("first failing case", "v1,x=2x1x9x9,out=1,k=3,p=same"),
        ("repeated", "2 of 3 times in a fresh process"),
        ("setup cases", "v1,x=1x1x3x3,out=1,k=1, v1,x=1x1x4x4,out=1,k=1,mode=it's"),
        ("state", "it fails on a fresh candidate only"),
        ("script", "reproduce_1.py"),
    ]


def test_details_leave_out_what_is_not_known():
    assert [name for name, _ in details(STOPPED)] == ["clause", "level", "status", "what is wrong", "failing cases"]
    assert dict(details(STOPPED))["failing cases"] == "1"


def test_details_name_the_known_failure():
    assert dict(details(FINDINGS[7]))["known"] == "issue 8"


def test_details_name_no_worst_element_where_no_element_is_wrong():
    verdict = replace(COMPLETE.verdict, evidence=replace(COMPLETE.verdict.evidence, index=()))
    assert "worst element" not in dict(details(replace(COMPLETE, verdict=verdict)))


def test_details_tell_failures_after_earlier_calls_from_those_of_first_calls():
    assert dict(details(changed(COMPLETE, standalone=False)))["state"].startswith("it needs earlier calls")
    assert "state" not in dict(details(changed(COMPLETE, state_dependent=False)))


@pytest.mark.parametrize(
    ("finding", "words"),
    [
        (
            COMPLETE,
            f"fails iff groups > 1 and bias{FIGURES}; every failure is explained by: subnormals flushed; behaves like no bias where there are groups",
        ),
        (INEXACT, "fails mostly where stride_w == 3 (precision 0.50, recall 0.75 on 8 cases)"),
        (
            replace(COMPLETE, diagnosis=Diagnosis(known_defects=COMPLETE.diagnosis.known_defects)),
            "behaves like no bias where there are groups",
        ),
        (STOPPED, ""),
    ],
)
def test_a_diagnosis_fits_a_line(finding, words):
    assert diagnosis(finding) == words


@pytest.mark.parametrize("finding", [COMPLETE, replace(INEXACT, backend="numpy"), replace(INEXACT, backend="a b\n$c")])
def test_a_shell_repeats_the_replay_command(finding):
    command = replay_command(finding).replace("convcheck replay", "printf '%s\\0'", 1)
    said = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True).stdout.split("\0")
    reproduction = finding.reproduction
    assert said[:-1] == [*reproduction.setup_cases, reproduction.token, "--backend", finding.backend]


def test_a_history_is_shown_in_words_and_repeated_by_its_line():
    line = f"{TOKEN} {TOKEN}@weight=1 {TOKEN},s=2@weight=1"
    found = changed(COMPLETE, history=line, setup_cases=())
    assert dict(details(found))["smallest history"] == (
        "1. Conv2d(1, 1, kernel_size=1) on (1, 1, 2, 2), float32, forward; 2. other contents of weight; 3. stride=2"
    )
    assert "smallest case" not in dict(details(found))
    assert shlex.split(replay_command(found)) == [
        *["convcheck", "replay", "--history", line],
        *["--backend", WRONG],
    ]


def test_without_a_case_there_is_nothing_to_replay():
    assert replay_command(STOPPED) == ""


def flat(text):
    return " ".join(plain(text).split())


def test_the_page_has_every_finding_with_sentence_command_details_and_pictures(record):
    page = discrepancies(record)
    assert flat(page).startswith(flat(f"# Discrepancies of nightly\n\n{opening(record)}\n\n"))
    parts = page.split("\n## ")[1:]
    assert len(parts) == len(FINDINGS)
    for number, (part, finding) in enumerate(zip(parts, FINDINGS, strict=True), 1):
        heading, backend, said, *blocks = part.strip().split("\n\n")
        what = f"{finding.level.label}: {finding.clause}, {finding.verdict.quantity}, {finding.status}"
        assert plain(heading) == f"{number}. {what}"
        assert plain(backend) == f"Backend: {WRONG}"
        assert flat(said) == flat(sentence_of(finding).statement())
        command = replay_command(finding)
        assert blocks[: bool(command)] == ([f"```sh\n{command}\n```"] if command else [])
        assert shlex.split(command)[:2] == (["convcheck", "replay"] if command else [])
        listed = "".join(f"- {name}: {text.replace(AWKWARD, SHOWN)} " for name, text in details(finding))
        assert flat(blocks[bool(command)]) == flat(listed)
        where = finding.diagnosis.localization
        maps = [f"```text\n{as_text(found)}\n```" for found in (where.maps if where else ())]
        assert part.strip().endswith("\n\n".join(maps))
        assert ("█" in part) == bool(finding.reproduction.token)


def test_lines_are_no_longer_than_a_hundred_characters_but_for_words_and_commands_that_are(record):
    outside = re.sub(r"^```.*?^```$", "", discrepancies(record), flags=re.MULTILINE | re.DOTALL)
    assert not [line for line in outside.split("\n") if len(line) > 100]


def test_a_run_without_findings_says_so(record):
    record = replace(record, findings=())
    assert flat(discrepancies(record)) == flat(f"# Discrepancies of nightly {opening(record)} None.")


def test_one_parameter_that_makes_no_difference_needs_no_other():
    found = replace(COMPLETE, diagnosis=Diagnosis(free=("bias",)))
    assert dict(details(found))["makes no difference"] == "any other value of bias fails as well"


def test_what_no_other_process_finds_is_repeated_by_a_line_of_its_program():
    alone = replace(COMPLETE, reproduction=Reproduction(token=TOKEN, setup_cases=("v1,x=1x1x3x3,out=1,k=1",)))
    found = replace(alone, backend="<mine>")
    assert replay_command(found) == f"convcheck.replay(mine, 'v1,x=1x1x3x3,out=1,k=1', '{TOKEN}')"
    assert not replay_arguments(found)
    history = replace(found, reproduction=Reproduction(token=TOKEN, history=TOKEN))
    assert replay_command(history) == f"convcheck.replay(mine, history='{TOKEN}')"
    assert replay_command(replace(found, reproduction=Reproduction())) == ""
