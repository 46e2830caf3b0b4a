"""Counts the YAMLs that ran."""


def pytest_terminal_summary(terminalreporter):
    """Prints how many of the YAMLs ran."""
    ran = {
        outcome: sum(
            "test_every_yaml_runs" in report.nodeid and report.when == "call"
            for report in terminalreporter.stats.get(outcome, [])
        )
        for outcome in ("passed", "failed")
    }
    if any(ran.values()):
        terminalreporter.write_line(
            f"YAMLs that ran in debug size: {ran['passed']} of "
            f"{sum(ran.values())}"
        )
