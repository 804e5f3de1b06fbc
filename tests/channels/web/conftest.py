import pytest

from tests.channels.web.house import running_house


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    with running_house(tmp_path_factory.mktemp("web"), DAOYI_ORIGINS="https://www.hospital.example") as running:
        yield running
