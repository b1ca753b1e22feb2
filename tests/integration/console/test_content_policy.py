"""Flower's pages under a content policy: no foreign script runs, and their own ones do, in a real browser."""

from __future__ import annotations

import shutil
import subprocess
import urllib.request

import pytest

PAGES = ["/applications", "/clusters", "/workers", "/tasks", "/broker"]


@pytest.mark.parametrize("path", [*PAGES, "/nowhere", "/healthcheck", "/gitops-static/gitops.css"])
def test_every_answer_has_the_policy(console, path):
    try:
        with urllib.request.urlopen(f"{console.url}{path}", timeout=20) as answer:
            headers = answer.headers
    except urllib.error.HTTPError as problem:
        headers = problem.headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy.partition("script-src")[2].partition(";")[0]
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", PAGES)
def test_a_browser_refuses_nothing_of_the_pages(console, tmp_path, path):
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("there is no chromium on PATH")
    done = subprocess.run(
        [
            *(chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
            *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
            *("--enable-logging=stderr", f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom"),
            *("--virtual-time-budget=3000", f"{console.url}{path}"),
        ],
        capture_output=True,
        text=True,
        timeout=90,
        check=True,
    )
    assert "Content Security Policy" not in done.stderr
    assert "is not defined" not in done.stderr
    assert "</html>" in done.stdout
