"""Operations that later versions no longer have: one module for each version that had some last.

Apart from the changes of bodies, because every handler uses those.
"""

from emulator.compat.retired import v2018_12_01, v2024_07_01

OPERATIONS = (*v2018_12_01.OPERATIONS, *v2024_07_01.OPERATIONS)
