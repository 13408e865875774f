"""The page in a real browser: clicks, keys, no request, no markup from names."""

import pytest

from plankton_features.report import collect_pictures, write_report

NAMES = ("<img src=x onerror=alert(1)>", "</script><script>document.title='no'</script>",
         "Calanus_finmarchicus", "a & 'b' \"c\"", "Кладоцера")


@pytest.fixture(scope="module")
def made(make_results, vignettes_of, tmp_path_factory):
    results, frame = make_results(NAMES, 240)
    path = tmp_path_factory.mktemp("page") / "report.html"
    write_report(results, path, collect_pictures(frame, vignettes_of(frame)))
    return results, frame, path


@pytest.fixture
def page(browser, made):
    browser.open(made[2])
    return browser


def paths_in_panel(page):
    return page.js("[...document.querySelectorAll('#panel .strip:first-child .path')]"
                   ".map(e => e.textContent)")


def paths_of_cell(made, true, predicted):
    _, frame, _ = made
    cell = frame[(frame["label"] == NAMES[true]) & (frame["taxon"] == NAMES[predicted])]
    return cell.sort_values("probability", ascending=False)["path"].tolist()[:12]


def values_of_column(page, column):
    return page.js("[...document.querySelectorAll('#class-table tbody tr')].map("
                   f"r => Number(r.cells[{column}].dataset.value))")


def test_a_click_on_a_cell_shows_its_vignettes(page, made):
    order = sorted(range(5), key=lambda k: NAMES[k].casefold())
    page.js("document.querySelector('#matrix-canvas').scrollIntoView({block: 'center'})")
    box = page.js("(() => {const c = document.querySelector('#matrix-canvas');"
                  "const b = c.getBoundingClientRect(); return [b.x, b.y, c.clientWidth,"
                  " c.clientHeight]})()")
    side = 5 * 72
    x0, y0 = box[0] + box[2] - 46 - side, box[1] + box[3] - 42 - side
    wrong = made[1][made[1]["label"] != made[1]["taxon"]]
    true, predicted = (NAMES.index(name) for name in wrong.iloc[0][["label", "taxon"]])
    row, column = order.index(true), order.index(predicted)
    page.click(x0 + (column + 0.5) * 72, y0 + (row + 0.5) * 72)
    page.until("!document.getElementById('panel').hidden")
    assert paths_in_panel(page) == paths_of_cell(made, true, predicted)
    assert page.js("[...document.querySelectorAll('#panel img')].every("
                   "i => i.complete && i.naturalWidth === 96)")
    title = page.js("document.getElementById('panel-title').textContent")
    assert title == f"{NAMES[true]} → {NAMES[predicted]}"


def test_the_matrix_can_be_used_by_keyboard(page, made):
    order = sorted(range(5), key=lambda k: NAMES[k].casefold())
    page.js("document.querySelector('#matrix-canvas').focus()")
    for key in ("ArrowRight", "ArrowDown", "ArrowRight", "Enter"):
        page.press(key)
    page.until("!document.getElementById('panel').hidden")
    assert paths_in_panel(page) == paths_of_cell(made, order[1], order[1])[:4]
    page.press("Escape")
    assert page.js("document.getElementById('panel').hidden")
    assert page.js("document.activeElement.id") == "matrix-canvas"


def test_frequent_confusions_open_the_same_panel(page, made):
    page.js("document.querySelector('.frequent button').focus()")
    cell = page.js("document.activeElement.dataset.cell")
    page.press("Enter")
    page.until("!document.getElementById('panel').hidden")
    assert paths_in_panel(page) == paths_of_cell(made, *map(int, cell.split(",")))


def test_the_table_sorts_by_click_and_by_key(page, made):
    support = sorted(row["support"] for row in made[0]["per_class"])
    head = "document.querySelectorAll('#class-table thead th')[1]"
    page.js(f"{head}.querySelector('button').scrollIntoView({{block: 'center'}})")
    x, y = page.js(f"(() => {{const b = {head}.querySelector('button').getBoundingClientRect();"
                   "return [b.x + b.width / 2, b.y + b.height / 2]})()")
    page.click(x, y)
    assert page.js(f"{head}.getAttribute('aria-sort')") == "descending"
    assert values_of_column(page, 1) == support[::-1]
    page.press("Enter")
    assert page.js(f"{head}.getAttribute('aria-sort')") == "ascending"
    assert values_of_column(page, 1) == support


def test_the_filter_hides_other_classes(page):
    page.js("(() => {const f = document.getElementById('filter'); f.value = 'CALANUS';"
            "f.dispatchEvent(new Event('input'))})()")
    shown = page.js("[...document.querySelectorAll('#class-table tbody tr')].filter("
                    "r => !r.hidden).map(r => r.cells[0].textContent)")
    count = page.js("document.getElementById('filter-count').textContent")
    page.js("(() => {const f = document.getElementById('filter'); f.value = '';"
            "f.dispatchEvent(new Event('input'))})()")
    assert (shown, count) == (["Calanus_finmarchicus"], "1 of 5 classes")


def test_a_class_leads_to_its_row(page):
    page.js("document.querySelector('#class-table [data-row]').click()")
    told = page.js("document.querySelector('#matrix-tip').innerText")
    name = page.js("document.querySelector('#class-table [data-row]').textContent")
    assert told.startswith(f"true: {name}")


def test_names_are_text(page):
    shown = page.js("[...document.querySelectorAll('#class-table tbody th')].map("
                    "e => e.textContent)")
    assert sorted(shown) == sorted(NAMES)
    assert page.js("document.querySelectorAll('img:not([src^=\"data:\"])').length") == 0
    assert page.js("document.querySelectorAll('script').length") == 2
    assert page.js("document.title") == "out.h5: classifier report"


def test_the_theme_can_be_switched(page):
    def paper():
        return page.js("getComputedStyle(document.body).backgroundColor")

    before = paper()
    page.js("document.getElementById('theme').click()")
    assert paper() != before
    page.js("document.getElementById('theme').click()")
    assert paper() == before


def test_nothing_is_wider_than_a_phone(page):
    page.call("Emulation.setDeviceMetricsOverride", width=390, height=844, deviceScaleFactor=1,
              mobile=True)
    widths = page.js("[document.documentElement.scrollWidth, innerWidth]")
    page.call("Emulation.setDeviceMetricsOverride", width=1440, height=900, deviceScaleFactor=1,
              mobile=False)
    assert widths == [390, 390]


def test_nothing_leaves_the_page_and_nothing_is_wrong(page, made):
    page.js("1")
    page.events.clear()
    page.open(made[2])
    page.js("document.querySelectorAll('button').forEach(button => button.click())")
    page.js("document.querySelectorAll('[data-row]').forEach(link => link.click())")
    wanted = [e["params"]["request"]["url"] for e in page.events
              if e["method"] == "Network.requestWillBeSent"]
    assert any(url.startswith("file:") for url in wanted)
    assert all(url.startswith(("file:", "data:")) for url in wanted)
    assert [e["params"] for e in page.events
            if e["method"] in ("Runtime.exceptionThrown", "Log.entryAdded",
                               "Runtime.consoleAPICalled")] == []


def test_the_policy_refuses_what_would_leave(page):
    directive = page.js("new Promise(told => { addEventListener('securitypolicyviolation', "
                        "e => told(e.effectiveDirective)); fetch('https://example.org/').catch("
                        "() => 0); })")
    assert directive == "connect-src"


@pytest.fixture
def wide(browser, make_results, tmp_path):
    """A page of 60 classes, and a point over one of its cells."""
    write_report(make_results([f"taxon {k}" for k in range(60)], 900)[0], tmp_path / "r.html")
    browser.open(tmp_path / "r.html")
    browser.js("document.querySelector('#matrix-canvas').scrollIntoView({block: 'center'})")
    left, top, width, height = browser.js(
        "(() => {const b = document.querySelector('#matrix-canvas').getBoundingClientRect();"
        "return [b.x, b.y, b.width, b.height]})()")
    return browser, left + width / 3, top + height / 2


def cell_under(page, x, y):
    page.call("Input.dispatchMouseEvent", type="mouseMoved", x=x - 30, y=y)
    page.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
    return page.js("document.querySelector('#matrix-tip').innerText")


def by_buttons(page, x, y):
    page.js("document.querySelector('[data-zoom=\"1.5\"]').click()")


def by_wheel(page, x, y):
    page.call("Input.dispatchMouseEvent", type="mouseWheel", x=x + 90, y=y + 60, deltaX=0,
              deltaY=-200, modifiers=2)


def by_pinch(page, x, y):
    page.call("Emulation.setTouchEmulationEnabled", enabled=True, maxTouchPoints=2)
    for kind, apart in (("touchStart", 40), ("touchMove", 50), ("touchMove", 90), ("touchEnd", 0)):
        points = [{"x": x + 90 + side * apart, "y": y + 60, "id": k}
                  for k, side in enumerate((-1, 1))] if apart else []
        page.call("Input.dispatchTouchEvent", type=kind, touchPoints=points)
    page.call("Emulation.setTouchEmulationEnabled", enabled=False)


@pytest.mark.parametrize("zoom", [by_buttons, by_wheel, by_pinch])
def test_the_matrix_zooms(wide, zoom):
    page, x, y = wide
    before = cell_under(page, x, y)
    assert before.startswith("true: taxon")
    zoom(page, x, y)
    assert cell_under(page, x, y) != before
    page.js("document.querySelector('[data-zoom=\"0\"]').click()")
    assert cell_under(page, x, y) == before
    assert page.js("document.getElementById('panel').hidden")


def test_the_wheel_scrolls_the_page_until_the_matrix_is_chosen(wide):
    page, x, y = wide
    before = cell_under(page, x, y)
    top = page.js("scrollY")
    page.call("Input.dispatchMouseEvent", type="mouseWheel", x=x, y=y, deltaX=0, deltaY=-200)
    page.until(f"scrollY < {top}")
    page.js(f"scrollTo(0, {top})")
    assert cell_under(page, x, y) == before


OVERLAPS = """[...document.querySelectorAll('svg.chart')].flatMap(svg => {
  const texts = [...svg.querySelectorAll('text')].map(e => [e.textContent,
    e.getBoundingClientRect()]);
  return texts.flatMap(([a, p], i) => texts.slice(i + 1).filter(([, q]) =>
    p.left < q.right - 1 && q.left < p.right - 1 && p.top < q.bottom - 3 && q.top < p.bottom - 3)
    .map(([b]) => [a, b])).concat(texts.filter(([, p]) => p.right > innerWidth || p.left < 0));
})"""


@pytest.mark.parametrize("epochs", [(1, 0, 1), (2, 1, 2), (20, 5, 17), (200, 10, 190)])
def test_learning_curves_can_be_read_on_any_screen(browser, make_training, tmp_path, epochs):
    write_report(make_training(NAMES, *epochs), tmp_path / "r.html")
    browser.open(tmp_path / "r.html")
    for width, mobile in ((390, True), (800, False), (1440, False)):
        browser.call("Emulation.setDeviceMetricsOverride", width=width, height=900,
                     deviceScaleFactor=1, mobile=mobile)
        assert browser.js(OVERLAPS) == []
        assert browser.js("document.documentElement.scrollWidth <= innerWidth")
        smallest = browser.js("Math.min(...[...document.querySelectorAll('svg.chart')].map("
                              "e => 12 * e.getBoundingClientRect().width /"
                              " e.viewBox.baseVal.width))")
        assert smallest > 10
