"""Of the package under test, what is not replaced here is the checkout's own."""

import os

__path__.append(os.path.join(os.environ["ERSILIA_PACK_CHECKOUT"], "src", "ersilia_pack"))
