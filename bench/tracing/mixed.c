/* Objects of many sizes whose lifetimes follow a power law: mixed [objects=N]
 *
 * There are rings of 1, 2, 4, ... places. Each new object goes into the next place of one of them, where the one before it is dropped; a ring twice as long is chosen
 * by the square root of two less often. Most objects are pairs, records and texts; some are arrays of references; few are large buffers.
 */
#define _POSIX_C_SOURCE 200809L
#include "memory.h"

enum { RINGS = 18, CHOICES = 4096, RECENT = 8, ARRAY_MOST = 64, BUFFER_LEAST = 4096, BUFFER_MOST = 32768 };

typedef struct Text {
    size_t length;
    char items[];
} Text;
TYPE(Text, HWR_ITEMS(Text, length, items, char));

typedef struct Pair {
    Text *first, *second;
} Pair;
TYPE(Pair, HWR_REFS(Pair, first, second));

typedef struct Record {
    Text *name, *place, *remark;
    uint64_t number, time, state;
} Record;
TYPE(Record, HWR_REFS(Record, name, place, remark));

typedef struct Array {
    size_t length;
    void *items[];
} Array;
TYPE(Array, HWR_REF_ITEMS(Array, length, items));

typedef struct Recent {
    Text *texts[RECENT];
} Recent;
TYPE(Recent, HWR_REFS(Recent, texts[0], texts[1], texts[2], texts[3], texts[4], texts[5], texts[6], texts[7]));

static uint8_t choices[CHOICES]; /* rings, each as often as it is to be chosen */
static uint64_t state = 88172645463325252;

static void weigh_rings(void) {
    double weights[RINGS], all = 0, weight = 1, so_far = 0;
    for (int i = 0; i < RINGS; i++, weight *= 0.70710678) all += weights[i] = weight;
    for (int i = 0, ring = 0; i < CHOICES; i++) {
        while (ring < RINGS - 1 && (so_far + weights[ring]) / all <= (double)i / CHOICES) so_far += weights[ring++];
        choices[i] = (uint8_t)ring;
    }
}

/* Short ones are more frequent. */
static size_t text_length(void) { return 4 + random_below(&state, (size_t)8 << random_below(&state, 7)); }

static Text *new_text(Memory *memory, size_t length) {
    Text *text = NEW_LEAF_ITEMS(memory, Text, length);
    memset(text->items, 'x', length < 64 ? length : 64);
    return text;
}

static Text *some_text(const Recent *recent) { return recent->texts[random_below(&state, RECENT)]; }

static void *new_object(Memory *memory, Recent *recent) {
    void *object;
    FRAME(here, Recent * recent;);
    here.recent = recent;
    size_t kind = random_below(&state, 1000);
    if (kind < 400) {
        Pair *pair = NEW(memory, Pair);
        INIT(memory, pair, first, some_text(here.recent));
        INIT(memory, pair, second, some_text(here.recent));
        object = pair;
    } else if (kind < 600) {
        Record *record = NEW(memory, Record);
        INIT(memory, record, name, some_text(here.recent));
        INIT(memory, record, place, some_text(here.recent));
        INIT(memory, record, remark, some_text(here.recent));
        record->number = kind;
        object = record;
    } else if (kind < 949) {
        Text *text = new_text(memory, text_length());
        SET(memory, here.recent, texts[random_below(&state, RECENT)], text);
        object = text;
    } else if (kind < 999) {
        size_t length = 1 + random_below(&state, ARRAY_MOST);
        Array *array = NEW_ITEMS(memory, Array, length);
        for (size_t i = 0; i < length; i++) INIT(memory, array, items[i], some_text(here.recent));
        object = array;
    } else {
        object = new_text(memory, BUFFER_LEAST + random_below(&state, BUFFER_MOST - BUFFER_LEAST));
    }
    END_FRAME(here);
    return object;
}

int main(int argc, char **argv) {
    (void)argc;
    Memory *memory = memory_open(argv);
    weigh_rings();
    size_t next[RINGS] = {0};
    FRAME(here, Recent * recent; Array * rings[RINGS];);
    here.recent = NEW(memory, Recent);
    for (size_t i = 0; i < RECENT; i++) {
        Text *text = new_text(memory, text_length());
        INIT(memory, here.recent, texts[i], text);
    }
    for (size_t i = 0; i < RINGS; i++) here.rings[i] = NEW_ITEMS(memory, Array, (size_t)1 << i);
    for (size_t left = argument(argv, "objects", 12000000); left > 0; left--) {
        size_t ring = choices[random_below(&state, CHOICES)];
        void *object = new_object(memory, here.recent);
        SET(memory, here.rings[ring], items[next[ring]++ & (((size_t)1 << ring) - 1)], object);
    }
    size_t kept = 0;
    for (size_t i = 0; i < RINGS; i++)
        for (size_t at = 0; at < (size_t)1 << i; at++) kept += here.rings[i]->items[at] != NULL;
    END_FRAME(here);
    printf("kept %zu\n", kept);
    memory_close(memory);
    return 0;
}
