#!/bin/sh
# The folders of src/ include only what src/LAYERS grants them.
exec "$SRCDIR/scripts/check-layers"
