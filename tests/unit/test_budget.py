import threading

from pipeline.budget import PixelBudget


def test_images_that_fit_together_are_decoded_together():
    budget = PixelBudget(100)

    with budget.take(60), budget.take(40):
        pass


def test_an_image_waits_until_its_pixels_are_free():
    budget, entered = PixelBudget(100), threading.Event()

    def second() -> None:
        with budget.take(60):
            entered.set()

    with budget.take(60):
        thread = threading.Thread(target=second)
        thread.start()
        assert not entered.wait(0.05)
    thread.join(5)

    assert entered.is_set()


def test_an_image_larger_than_the_whole_budget_goes_alone():
    with PixelBudget(100).take(5000):
        pass
