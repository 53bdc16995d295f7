"""Discovery, guards and the registry, with real distributions on a temporary path."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from vaehub.base import Likelihood
from vaehub.cli import COMMANDS
from vaehub.config.load import load_config
from vaehub.errors import UsageError
from vaehub.host.discovery import discover
from vaehub.host.hooks import RESERVED
from vaehub.host.registry import Registry, registry, use_file
from vaehub.model.likelihoods import Poisson
from vaehub.model.nets import MLPDecoder

TOY = Path(__file__).parents[1] / "toy.py"
HOOK = "from vaehub import hookimpl\n@hookimpl\n"
HEAVY = ("torch", "pytorch_lightning", "pandas", "matplotlib")


def components(**entries):
    """Source of a plugin with these components."""
    return HOOK + f"def vaehub_components(): return { ({k.replace('__', '/'): v for k, v in entries.items()})!r}\n"


@pytest.fixture
def install(tmp_path, monkeypatch):
    """`install("zinb", source)` puts a distribution with one plugin on sys.path, and lets in only what was installed so."""
    monkeypatch.syspath_prepend(str(tmp_path))
    names = []

    def put(name, source, dist=None, version="1.2"):
        dist = dist or f"vaehub-{name}"
        module = f"test_plugin_{dist.replace('-', '_')}"
        monkeypatch.delitem(sys.modules, module, raising=False)
        (tmp_path / f"{module}.py").write_text(source)
        info = tmp_path / f"{dist.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {dist}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(f"[vaehub]\n{name} = {module}\n")
        names.append(name)
        monkeypatch.setenv("VAEHUB_PLUGINS", ",".join(dict.fromkeys(names)))
        return module

    return put


@pytest.fixture
def fresh(monkeypatch):
    """The registry of the process made anew, and again after the test."""
    registry.cache_clear()
    yield registry
    monkeypatch.undo()
    registry.cache_clear()
    use_file(TOY)


def found(name):
    """What discovery says of a plugin."""
    plugins = Registry(discover()).plugins
    return next(plugin for plugin in plugins if plugin.name == name)


def test_a_plugin_is_found_with_its_version_and_parts(install):
    module = install("zinb", components(likelihood__zinb="somewhere.else:ZINB"))
    plugin = found("zinb")
    assert (plugin.version, plugin.status, plugin.source) == ("1.2", "ok", "vaehub-zinb")
    assert plugin.components == {"likelihood/zinb": "somewhere.else:ZINB"}
    assert "somewhere.else" not in sys.modules
    assert module in sys.modules


SABOTAGE = {
    "import error": ("import no_such_module_at_all", "ModuleNotFoundError: No module named 'no_such_module_at_all'"),
    "syntax error": ("def f(:", "SyntaxError"),
    "exit at import": ("raise SystemExit(3)", "SystemExit: 3"),
    "misspelt hook": (HOOK + "def vaehub_component(): return {}", "unknown hook 'vaehub_component'"),
    "wrong arguments": (HOOK + "def vaehub_components(more): return {}", "more"),
    "no hook": ("def vaehub_components(): return {}", "defines no hook"),
    "list": (HOOK + "def vaehub_components(): return ['decoder/x']", "must return a dict of strings, not list"),
    "number as target": (components(decoder__x=3), 'expected "module:attribute"'),
    "no such kind": (components(decodr__x="a:B"), 'expected "kind/name"'),
    "path as target": (components(decoder__x="os.system"), 'expected "module:attribute"'),
    "raising hook": (HOOK + "def vaehub_components(): raise RuntimeError('boom')", "RuntimeError: boom"),
    "exit in hook": (HOOK + "def vaehub_components(): raise SystemExit", "SystemExit"),
    "own command": (HOOK + "def vaehub_commands(): return {'train fast': 'a:b'}", "no command of vaehub"),
    "one word": (HOOK + "def vaehub_commands(): return {'impute': 'a:b'}", 'expected "group name"'),
}


@pytest.mark.parametrize("sabotage", SABOTAGE)
def test_a_broken_plugin_is_described_and_breaks_nothing_else(install, sabotage):
    source, reason = SABOTAGE[sabotage]
    install("bad", source)
    install("good", components(likelihood__zinb="test_nowhere:ZINB"))
    plugins = Registry(discover())
    status = {plugin.name: plugin.status for plugin in plugins.plugins}
    assert reason in status["bad"]
    assert "\n" not in status["bad"]
    assert status["good"] == status["builtin"] == "ok"
    assert plugins.load("decoder", "mlp") is MLPDecoder
    with pytest.raises(UsageError, match=r"no decoder called 'mlpp': did you mean 'mlp'\?.*bad 1\.2: ") as error:
        plugins.load("decoder", "mlpp")
    assert reason in str(error.value)


def test_a_name_defined_twice_is_an_error_that_names_both(install):
    install(
        "other",
        components(decoder__mlp="vaehub.model.nets:MLPEncoder", decoder__mine="vaehub.model.nets:MLPDecoder"),
        version="0.3",
    )
    plugins = Registry(discover())
    with pytest.raises(UsageError, match=r"'decoder/mlp' is defined by both builtin .* and other 0\.3 \(vaehub-other\)"):
        plugins.load("decoder", "mlp")
    assert "'decoder/mlp' is defined by both" in next(p.status for p in plugins.plugins if p.name == "other")
    assert plugins.load("decoder", "mine") is MLPDecoder
    assert plugins.load("encoder", "mlp").__name__ == "MLPEncoder"


def test_two_packages_with_one_plugin_name_are_both_named(install):
    install("twin", components(decoder__a="vaehub.model.nets:MLPDecoder"), dist="first")
    install("twin", components(decoder__b="vaehub.model.nets:MLPDecoder"), dist="second")
    plugin = found("twin")
    assert "first 1.2" in plugin.status
    assert "second 1.2" in plugin.status
    assert not plugin.components


def test_commands_clash_as_components_do(install, fresh):
    install("a", HOOK + "def vaehub_commands(): return {'series impute': 'os.path:join'}")
    install("b", HOOK + "def vaehub_commands(): return {'series impute': 'os.path:split'}")
    plugins = fresh()
    with pytest.raises(UsageError, match=r"'series impute' is defined by both a 1\.2 .* and b 1\.2"):
        plugins.resolve(plugins.commands["series impute"])


def test_environment_restricts_discovery(install, monkeypatch):
    for name in "abc":
        install(name, components(**{f"decoder__{name}": "vaehub.model.nets:MLPDecoder"}))

    def names():
        return [plugin.name for plugin in discover()]

    monkeypatch.setenv("VAEHUB_PLUGINS", "a, c")
    assert names() == ["builtin", "a", "c"]
    monkeypatch.setenv("VAEHUB_PLUGINS", "")
    assert names() == ["builtin"]
    monkeypatch.delenv("VAEHUB_PLUGINS")
    assert {"builtin", "a", "b", "c"} <= set(names()) == {"builtin", *(p.name for p in entry_points(group="vaehub"))}
    monkeypatch.setenv("VAEHUB_PLUGINS", "a,missing")
    assert "not installed" in found("missing").status


def test_an_excluded_plugin_is_not_even_imported(install, monkeypatch):
    module = install("quiet", components(decoder__q="a:B"))
    monkeypatch.setenv("VAEHUB_PLUGINS", "")
    list(discover())
    assert module not in sys.modules


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("no_such_module_at_all:X", "cannot be imported: ModuleNotFoundError"),
        ("vaehub.model.nets:NoSuchClass", "cannot be imported: AttributeError"),
        ("os.path:join", "is no subclass of vaehub.Decoder"),
        ("vaehub.model.nets:MLPEncoder", "is no subclass of vaehub.Decoder"),
    ],
)
def test_a_part_that_cannot_be_used_says_whose_it_is(install, target, reason):
    install("half", components(decoder__half=target))
    with pytest.raises(UsageError, match=r"'decoder/half' of plugin half") as error:
        Registry(discover()).load("decoder", "half")
    assert reason in str(error.value)


def test_every_builtin_part_loads_and_knows_its_name():
    plugins = Registry(plugin for plugin in discover() if plugin.name == "builtin")
    assert len(plugins.components) >= 25
    for key in plugins.components:
        kind, _, name = key.partition("/")
        assert plugins.name_of(plugins.load(kind, name)) == name


def test_a_class_that_no_plugin_registers_has_no_name():
    class Mine(Poisson):
        pass

    with pytest.raises(UsageError, match="no plugin registers it"):
        registry().name_of(Mine)


PARTS = """
from vaehub.base import Likelihood
from vaehub import hookimpl

class Mine(Likelihood):
    param_shape = (1,)
    def __init__(self, spec, *, width: float = 1.0) -> None: ...
    def forward(self, params): ...

@hookimpl
def vaehub_components(): return {"likelihood/mine": ":Mine"}
"""


def test_a_file_of_parts(tmp_path, fresh):
    path = tmp_path / "my parts.py"
    path.write_text(PARTS)
    use_file(path)
    cls = fresh().load("likelihood", "mine")
    assert issubclass(cls, Likelihood)
    assert fresh().name_of(cls) == "mine"
    use_file(path)
    assert [plugin.name for plugin in fresh().plugins].count("my parts.py") == 1


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "cannot read the plugin file"),
        ("1/0", "ZeroDivisionError"),
        ("x = 1", "defines no hook"),
        ("exit(0)", "SystemExit"),
    ],
)
def test_a_bad_file_of_parts_is_refused_at_once(tmp_path, fresh, text, reason):
    path = tmp_path / "parts.py"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UsageError, match=reason):
        use_file(path)
    assert "parts.py" not in {plugin.name for plugin in fresh().plugins}


CALLBACKS = HOOK + "def vaehub_callbacks(config):\n    {body}\n"


def test_plugins_add_callbacks(install, fresh, small):
    install("more", CALLBACKS.format(body="import pytorch_lightning as pl; return [pl.Callback()] * config.latent"))
    use_file(TOY)
    assert len(fresh().callbacks(load_config(small(latent=3)))) == 3


@pytest.mark.parametrize("body", ["return [3]", "raise SystemExit(1)", "return 3", "return config.no_such_field"])
def test_a_plugin_that_fails_to_give_callbacks_is_warned_of(install, fresh, small, body):
    install("sorry", CALLBACKS.format(body=body))
    use_file(TOY)
    config = load_config(small())
    with pytest.warns(UserWarning, match=r"plugin sorry 1\.2 \(vaehub-sorry\) adds no callbacks"):
        assert fresh().callbacks(config) == []


def test_versions_of_the_plugins_that_a_config_uses(install, fresh, small):
    install("used", components(decoder__mine="vaehub.model.nets:MLPDecoder"))
    install("idle", components(decoder__other="vaehub.model.nets:MLPDecoder"))
    use_file(TOY)
    versions = fresh().versions_used(load_config(small(decoder={"name": "mine", "hidden": [4]})))
    assert versions.keys() == {"vaehub", "used", "toy.py"}
    assert versions["used"] == "1.2"


@pytest.mark.parametrize(
    "words", [["--help"], ["plugins"], ["plugins", "--json"], ["train", "--help"], ["--version"], ["nonsense"]]
)
def test_listing_imports_nothing_heavy(words):
    code = f"import sys; from vaehub.cli.app import main; main({words!r}); print([m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == "[]"


def test_only_the_module_of_the_command_that_runs_is_imported():
    show = "print(*(m for m in sys.modules if m.startswith('vaehub.cli.')), file=sys.stderr)"
    code = f"import sys; from vaehub.cli.app import main; main(['plugins']); {show}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stderr.split()) == {"vaehub.cli.app", "vaehub.cli.tree", "vaehub.cli.extend", "vaehub.cli.common"}


def test_the_reserved_words_are_the_commands() -> None:
    assert set(RESERVED) == set(COMMANDS)
