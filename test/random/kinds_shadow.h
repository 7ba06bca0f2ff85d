/* What the objects of the random mutator of kinds should be: shadows, in plain arrays, compared and written by code of their own.
 *
 * A shadow stands for one object, or for many of one value if that cannot change: lists make ints and floats when they are asked for them. Those of objects that have
 * an identity know their id, since objects may move. They are never freed before the run ends. Whatever could take very long (containers in each other in many ways) is given up when
 * a budget is spent, and then the library is not asked either. */
#ifndef TEST_RANDOM_KINDS_SHADOW_H
#define TEST_RANDOM_KINDS_SHADOW_H

#include "heapwright/kinds.h"

__extension__ typedef __int128 shadow_int;

typedef struct shadow shadow;

/* What only one kind has: an array its code; a range where it goes; an object its class; an iterator where it is (kinds_iterators.c). */
typedef struct shadow_more {
    char code;
    int64_t from, to, step;
    uint64_t of_class; /* its id */
    const char *class_name;
    unsigned form, function, depth;
    size_t index, changes;
    uint64_t calls; /* that an object of the test's own was the state of: `number`, if none was lost */
    bool ended;
    bool lost; /* memory was short on the way: nobody knows where it is, or what it still holds */
} shadow_more;

struct shadow {
    hwr_kind kind; /* HWR_NO_KIND: an object of the test's own, with one field */
    bool marked;
    shadow *next; /* of all of this run */
    uint64_t
        id; /* hwr_id of what can change, and others that are only compared by identity; of tuples, and ranges. 0: not known */
    shadow_int number;   /* of ints and bools */
    double real;         /* of floats: no NaN */
    size_t length, room; /* of entries, in dicts and objects */
    size_t changes;      /* how many entries were added and removed in all, in dicts and sets */
    shadow_more more;
    union {
        uint32_t *chars; /* of strs, bytes and bytearrays */
        shadow **items;  /* of dicts and objects two for each entry; of iterators what they hold, or NULL */
    } of;
};

typedef enum shadow_answer { SHADOW_NO, SHADOW_YES, SHADOW_TOO_LONG } shadow_answer;

shadow *shadow_new(hwr_kind kind, size_t length); /* zeroed */
shadow *shadow_of_int(shadow_int value);
shadow *shadow_of_float(double value);
void shadow_free_all(void);

/* The object that it stands for is seen. */
void shadow_meet(hwr_heap *heap, shadow *s, const void *object);

/* How many words of `of` belong to an item: 2 in dicts and objects. The i-th item (chars have none). */
size_t shadow_step(const shadow *s);
bool shadow_has_items(const shadow *s);

/* Whether it has a length, and can be gone through; whether it counts as true. */
bool shadow_is_counted(const shadow *s);
bool shadow_is_true(const shadow *s);

/* Makes room for an item or char at `at`, or closes the gap. */
void shadow_open(shadow *s, size_t at);
void shadow_close(shadow *s, size_t at);
void shadow_put(shadow *s, size_t at, shadow *item); /* one of the items comes in, where they take one place each */

/* What comes of an iterable that is no iterator, at an index below its length: the items, the keys, the characters, or bytes as ints. */
shadow *shadow_item_of(const shadow *s, size_t index);

bool shadow_is_number(const shadow *s);
bool shadow_is_hashable(const shadow *s);

/* Whether it holds no more than a few hundred others, each counted as often as it is reached. */
bool shadow_is_light(const shadow *s);

/* == and < as Python has them. *order is set if the answer is SHADOW_YES: SHADOW_NO is a TypeError. */
shadow_answer shadow_equal(const shadow *a, const shadow *b);
shadow_answer shadow_compare(const shadow *a, const shadow *b, int *order);

/* The index of an item (of a set), or of a key (of a dict), or SIZE_MAX. Neither is heavy. */
size_t shadow_find(const shadow *container, const shadow *key);

/* Writes what repr gives; false if that is too long, or not known here (strs that are not ASCII). */
bool shadow_repr(const shadow *s, char *buffer, size_t room);

/* Aborts unless the object is what the shadow says, to some depth. */
void shadow_check(hwr_heap *heap, const void *object, const shadow *s);

/* Marks what can be reached; unmarks all. How many are marked of a kind. Whether among them is an iterator that is lost: then these are not exactly those that are alive. */
void shadow_mark(shadow *s);
void shadow_unmark_all(void);
size_t shadow_count_marked(hwr_kind kind);
bool shadow_is_lost_marked(void);

/* An object of the test's own: its field. */
typedef struct own_object {
    void *field;
    uint64_t plan;
    uint64_t *calls; /* more.calls of its shadow */
} own_object;
extern const hwr_type own_type;

#endif
