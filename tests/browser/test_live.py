"""The modules of live images in a real browser: latents, points, the queue, and a model of the running service."""

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, Route

from tests.browser.local_site import LocalSite
from tests.browser.watch import Watch

ROOT = Path(__file__).parents[2]
IMPORT = """const load = (name) => import(new URL(`ui/live/${name}.js`, document.baseURI).href);
"""


@pytest.fixture(autouse=True)
def opened(page: Page) -> None:
    """A view that draws nothing is open."""
    page.goto("#/key")


def run(page: Page, body: str, argument: Any = None) -> Any:
    """Run the body of an asynchronous function in the page."""
    return page.evaluate(f"async (argument) => {{ {IMPORT} {body} }}", argument)


def test_latents_are_those_of_the_document(page: Page) -> None:
    rows = re.findall(r"^\| (\d+) \| (\d+) \| (.+) \|$", (ROOT / "docs/latents.md").read_text(), re.MULTILINE)
    assert len(rows) == 4
    for seed, index, values in rows:
        expected = [np.float32(value) for value in values.split(",")]
        latent = run(
            page,
            "const { sampleLatent } = await load('philox'); return [...sampleLatent(6, ...argument)];",
            [int(seed), int(index)],
        )
        assert latent[:4] == [float(value) for value in expected]
        assert len(latent) == 6


def test_philox_gives_the_known_answers_of_its_authors(page: Page) -> None:
    ones = 0xFFFFFFFF
    known = [
        ([0, 0, 0, 0], [0, 0], [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
        ([ones] * 4, [ones] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
        (
            [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
            [0xA4093822, 0x299F31D0],
            [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
        ),
    ]
    for counter, key, words in known:
        found = run(page, "return (await load('philox')).encrypt(...argument);", [counter, key])
        assert found == words


@pytest.mark.parametrize(
    "text",
    [
        "at=1:0",
        "at=1:0*0.94,777:0*0.35",
        "at=9007199254740991:9007199254740991*-0.5",
        "at=1:0&shift=brightness:1.2,colour:-0.5&classes=modern:1&truncation=0.8&sliders=01234567",
        "at=1:0&classes=a%252Cb%253A%2525:0.25,%C3%A9t%C3%A9%20%26:0.75",
    ],
)
def test_a_point_stays_the_same_in_an_address(page: Page, text: str) -> None:
    body = """const { parsePoint, formatPoint } = await load('point');
    const query = new URLSearchParams(argument);
    return formatPoint(parsePoint(query), query.get('sliders') ?? '');"""
    assert run(page, body, text) == text


def test_a_point_is_parsed_into_numbers_by_name(page: Page) -> None:
    body = "return (await load('point')).parsePoint(new URLSearchParams(argument));"
    assert run(page, body, "seed=3") is None
    assert run(page, body, "at=1:2,3:4*0.5&classes=a%252Cb:1&shift=x:-2e-1&truncation=0.7") == {
        "at": [[1, 2, 1], [3, 4, 0.5]],
        "classes": {"a,b": 1},
        "shift": {"x": -0.2},
        "truncation": 0.7,
    }


def test_numbers_are_rounded_to_six_digits(page: Page) -> None:
    body = """const { formatPoint } = await load('point');
    const [zero, few] = [{ a: 0, b: 0 }, { a: 1e-9, b: 0.1 + 0.2 }];
    return [formatPoint({ at: [[1, 0, 0.123456789]], classes: few, shift: few, truncation: 0.7 + 0.1 }),
            formatPoint({ at: [[1, 0, 1]], classes: zero, shift: zero, truncation: 1 })];"""
    assert run(page, body) == [
        "at=1:0*0.123457&shift=b:0.3&classes=b:0.3&truncation=0.8",
        "at=1:0&classes=a:0,b:0",  # no class has a weight, which is an error of the service, too
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("at=", 'at: must be like 1:0 or 1:0*0.5, got ""'),
        ("at=1", 'got "1"'),
        ("at=1:0*", 'got "1:0*"'),
        ("at=1:0*Infinity", 'at: must be a number, got "Infinity"'),
        ("at=9007199254740992:0", "a seed and an index lie in 0..9007199254740991"),
        ("at=1:0&truncation=", 'truncation: must be a number, got ""'),
        ("at=1:0&shift=x:1,x:2", 'shift: "x" is named twice'),
        ("at=1:0&classes=50%2525:1,%25:1", 'classes: in a name, write % as %25, got "%"'),
        ("at=1:0&shift=x", 'shift: must be like name:1, got "x"'),
    ],
)
def test_a_malformed_point_says_what_is_wrong(page: Page, text: str, words: str) -> None:
    body = """const { parsePoint } = await load('point');
    try { return JSON.stringify(parsePoint(new URLSearchParams(argument))); } catch (error) { return error.message; }"""
    assert words in run(page, body, text)


def test_z_is_summed_in_double_precision_and_rounded_once(page: Page) -> None:
    body = """const { latentOf } = await load('latent');
    const { sampleLatent } = await load('philox');
    const point = { at: [[1, 0, 0.6], [2, 5, 0.8]], shift: { x: 2 }, truncation: 0.7 };
    const sliders = [{ name: 'x', vector: Array(8).fill(0.1) }];
    return [latentOf(point, 8, sliders), sampleLatent(8, 1, 0), sampleLatent(8, 2, 5)].map((each) => [...each]);"""
    found, first, second = (np.array(each, np.float64) for each in run(page, body))
    expected = 0.7 * (0.6 * first + 0.8 * second) + 2 * 0.1
    assert found.tolist() == expected.astype(np.float32).astype(np.float64).tolist()


def test_without_classes_the_index_selects_the_class(page: Page) -> None:
    body = """const { classWeightsOf } = await load('latent');
    return [classWeightsOf({ at: [[1, 6, 1]] }, ['a', 'b', 'c', 'd']),
            classWeightsOf({ at: [[1, 6, 1]], classes: { b: 1, d: 3 } }, ['a', 'b', 'c', 'd']),
            classWeightsOf({ at: [[1, 6, 1]] }, [])];"""
    assert run(page, body) == [[0, 0, 1, 0], [0, 0.25, 0, 0.75], []]


QUEUE = """const { DrawQueue } = await load('draw_queue');
const drawn = [];
const release = [];
const runner = (points) => new Promise((resolve) => {
  drawn.push(points.map((point) => point.name));
  release.push(() => resolve(points.map((point) => point.name)));
});
const settle = (promise) => promise.then((frame) => frame, (error) => error.name);
const pause = () => new Promise((resolve) => setTimeout(resolve));
"""


def test_of_a_group_only_the_newest_waiting_point_is_drawn(page: Page) -> None:
    body = """const queue = new DrawQueue([runner], 1);
    const results = ['a', 'b', 'c', 'd'].map((name) => settle(queue.add({ name }, { group: 'slider' })));
    const other = settle(queue.add({ name: 'other' }));
    const urgent = settle(queue.add({ name: 'urgent' }, { isUrgent: true }));
    for (let i = 0; i < 4; i++) { release.shift()(); await pause(); }
    return { drawn, results: await Promise.all([...results, other, urgent]) };"""
    found = run(page, QUEUE + body)
    assert found["drawn"] == [["a"], ["urgent"], ["d"], ["other"]]
    assert found["results"] == ["a", "AbortError", "AbortError", "d", "other", "urgent"]


def test_frames_of_a_group_never_go_back_in_time(page: Page) -> None:
    body = """const queue = new DrawQueue([runner, runner], 1);
    const old = settle(queue.add({ name: 'old' }, { group: 'slider' }));
    const young = settle(queue.add({ name: 'young' }, { group: 'slider' }));
    release[1]();
    await young;
    release[0]();
    return [await old, await young];"""
    assert run(page, QUEUE + body) == ["AbortError", "young"]


def test_draws_end_by_their_signal_or_their_group(page: Page) -> None:
    body = """const queue = new DrawQueue([runner], 8);
    const controller = new AbortController();
    const running = settle(queue.add({ name: 'running' }, { group: 'left' }));
    const aborted = settle(queue.add({ name: 'aborted' }, { signal: controller.signal }));
    const together = ['x', 'y'].map((name) => settle(queue.add({ name })));
    controller.abort();
    queue.dropGroup('left');
    release[0]();
    await pause();
    release[1]();
    return { drawn, results: await Promise.all([running, aborted, ...together]) };"""
    found = run(page, QUEUE + body)
    assert found["drawn"] == [["running"], ["x", "y"]]
    assert found["results"] == ["AbortError", "AbortError", "x", "y"]


def test_a_failure_reaches_its_points_only(page: Page) -> None:
    body = """let isFirst = true;
    const queue = new DrawQueue([async ([point]) => {
      if (isFirst) { isFirst = false; throw new RangeError('no'); }
      return [point.name];
    }], 1);
    return Promise.all(['a', 'b'].map((name) => settle(queue.add({ name }))));"""
    assert run(page, QUEUE + body) == ["RangeError", "b"]


def test_a_live_image_is_that_of_its_address(page: Page) -> None:
    """A worker renders in bfloat16, which changes levels by a few. Another image would differ by dozens."""
    body = """const { openModel } = await load('live');
    const entry = (await (await fetch('models')).json()).models.find((each) => each.files.includes('engine-1.json'));
    const model = await openModel(entry);
    const frame = await model.draw({ at: [[1, 5, 1]] }, { group: 'stage' });
    model.close();
    return { name: entry.name, isLocal: model.isLocal, side: frame.width, pixels: [...frame.data],
             url: model.exactUrl({ at: [[1, 5, 0.5]], truncation: 0.5 }, 'jpg') };"""
    found = run(page, body)
    assert found["isLocal"]
    live = np.array(found["pixels"], int).reshape(found["side"], found["side"], 4)[..., :3]
    answer = page.request.get(f"images/{found['name']}/1/5.png")
    exact = np.array(Image.open(io.BytesIO(answer.body())), int)
    assert np.abs(live - exact).max() <= 8
    assert np.abs(live - exact).mean() < 0.5
    assert found["url"].endswith(f"/images/{found['name']}/at.jpg?at=1:5*0.5&truncation=0.5")


def test_while_the_weights_are_late_the_server_draws(page: Page) -> None:
    """The page waits for half a second. Then the model can be used, and later the browser draws it."""
    held = list[Route]()
    page.route("**/weights-1.bin", lambda route: held.append(route))
    body = """const { openModel } = await load('live');
    const entry = (await (await fetch('models')).json()).models.find((each) => each.files.includes('engine-1.json'));
    window.model = await openModel(entry);
    return window.model.isLocal;"""
    assert not run(page, body)
    for route in held:
        route.continue_()
    body = """while (!window.model.isLocal) await new Promise((resolve) => setTimeout(resolve, 10));
    const frame = await window.model.draw({ at: [[1, 0, 1]] });
    window.model.close();
    return frame.width;"""
    assert run(page, body) >= 32


def test_points_of_a_runner_that_was_replaced_are_drawn_again_if_it_fails(page: Page) -> None:
    body = """let fail;
    const queue = new DrawQueue([() => new Promise((_, reject) => (fail = reject))], 8);
    const first = settle(queue.add({ name: 'first' }, { group: 'slider' }));
    queue.replaceRunners([runner], 1);
    fail(new RangeError('no'));
    await pause();
    release[0]();
    return [await first, drawn];"""
    assert run(page, QUEUE + body) == ["first", [["first"]]]


def test_a_model_whose_files_come_after_the_page_is_drawn_here_soon(page: Page) -> None:
    body = """const { openModel } = await load('live');
    const entry = (await (await fetch('models')).json()).models.find((each) => each.files.includes('engine-1.json'));
    const model = await openModel({ ...entry, files: [] });
    const before = model.isLocal;
    while (!model.isLocal) await new Promise((resolve) => setTimeout(resolve, 10));
    const frame = await model.draw({ at: [[1, 0, 1]] });
    model.close();
    return [before, frame.width === entry.resolution];"""
    assert run(page, body) == [False, True]


def test_other_runners_take_the_waiting_points(page: Page) -> None:
    body = """const queue = new DrawQueue([runner], 8);
    const first = settle(queue.add({ name: 'first' }));
    const second = settle(queue.add({ name: 'second' }));
    queue.replaceRunners([async ([point]) => [`new ${point.name}`]], 1);
    const found = [await second];
    release[0]();
    found.push(await first, await settle(queue.add({ name: 'third' })));
    return { drawn, found };"""
    found = run(page, QUEUE + body)
    assert found == {"drawn": [["first"]], "found": ["new second", "first", "new third"]}


def test_a_model_with_private_weights_is_drawn_by_the_server(page: Page, site: LocalSite, watch: Watch) -> None:
    body = """const { openModel } = await load('live');
    const [entry] = (await (await fetch('models')).json()).models;
    const model = await openModel(entry);
    const frames = await Promise.all(argument.map((point) => model.draw(point)));
    const canvas = new OffscreenCanvas(entry.resolution, entry.resolution);
    const context = canvas.getContext('2d', { willReadFrequently: true });
    const images = frames.map((frame) => {
      context.drawImage(frame, 0, 0);
      return [...context.getImageData(0, 0, canvas.width, canvas.height).data];
    });
    model.close();
    return { name: entry.name, isLocal: model.isLocal, images };"""
    with site.another_api(IMAGEMILL_WEIGHTS="private") as url:
        watch.add_origin(url)
        page.goto(f"{url}/#/key")
        # The first point is drawn alone, and the others together.
        found = run(page, body, [{"at": [[1, index, 1]]} for index in range(4)])
        assert not found["isLocal"]
        for index, pixels in enumerate(found["images"]):
            exact = Image.open(io.BytesIO(page.request.get(f"{url}/images/{found['name']}/1/{index}.png").body()))
            drawn = np.array(pixels, int).reshape(*exact.size, 4)[..., :3]
            assert np.abs(drawn - np.array(exact, int)).mean() < (0.1 if index == 0 else 4)
