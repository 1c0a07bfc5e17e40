import errno

import pytest

from pipeline.errors import Code, RejectError
from pipeline.images.decode import rejecting


@pytest.mark.parametrize("number", [errno.ENOENT, errno.EMFILE, errno.ENOSPC, errno.EIO])
def test_a_fault_of_the_machine_is_no_fault_of_the_image(number):
    with pytest.raises(OSError) as raised, rejecting():
        raise OSError(number, "the machine's fault")

    assert raised.value.errno == number


def test_what_a_decoder_says_of_an_image_is_its_fault():
    with pytest.raises(RejectError) as rejected, rejecting():
        raise OSError("broken data stream when reading image file")

    assert rejected.value.code is Code.CORRUPT_FILE
