# MicroPython on heapwright's tiny collector: make USER_C_MODULES=<this folder's parent, or a file that includes this one>.
# An explicit vpath comes before the one by which make finds MicroPython's own py/gc.c, so ours is compiled in its place.
HEAPWRIGHT_MOD_DIR := $(USERMOD_DIR)
vpath py/gc.c $(HEAPWRIGHT_MOD_DIR)
CFLAGS_USERMOD += -I$(HEAPWRIGHT_MOD_DIR)/../../src
