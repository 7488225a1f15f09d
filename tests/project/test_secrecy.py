"""What leaves the project holds no secret."""

from __future__ import annotations

from atanor.project.secrecy import MASK, Secrets


def test_secrets_of_the_file_and_of_the_environment_are_masked() -> None:
    key = "sk-ant-api03-" + "Ab3dE5gH7j" * 8
    text = f"base_url: https://user:hunter2hunter@models.example/v1\nnote: {key}\n"
    secrets = Secrets.of(text, {"MODEL_API_KEY": "correct-horse", "HOME": "/home/ada", "USE_TOKEN": "1"})
    said = secrets.masked(f"{text} correct-horse at /home/ada 1")
    assert "hunter2hunter" not in said and key not in said and "correct-horse" not in said
    assert said.count(MASK) == 3 and said.endswith("at /home/ada 1"), said
