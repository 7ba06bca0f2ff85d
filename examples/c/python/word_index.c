/* A real piece of work: examples/python/word_index.py in C. Makes a text of 300,000 words, finds every word's places, counts pairs of neighbours, writes the result as JSON, reads it back
 * and compares.
 *
 *     word_index [WORDS]
 *
 * The JSON has no space behind , and : and so is shorter than Python's. */
#include "example.h"

#include "../json_text.h"

/* The same pseudo-random words in every run, some frequent and most rare; the last one ends with a space, too. */
static void write_words(FILE *file, long count) {
    static const char consonants[] = "bdfgklmnprst", vowels[] = "aeiou";
    uint64_t state = 1;
    for (long i = 0; i < count; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        double part = (double)(state >> 40) / (1 << 24);
        int rank = (int)(4000 * part * part * part), a = rank % 60, b = rank / 60 % 60;
        fprintf(file, "%c%c%c%c%s ", consonants[a / 5], vowels[a % 5], consonants[b / 5], vowels[b % 5],
                rank % 2 ? "n" : "");
    }
}

/* places.setdefault(word, []).append(place) */
static void add_place(void *places, const void *word, int64_t place) {
    void *found;
    hwr_result result = hwr_dict_get(heap, places, word, &found);
    if (result == HWR_NOT_FOUND) {
        found = made(hwr_list(heap, 0));
        result = hwr_dict_set(heap, places, word, found);
    }
    ok(result);
    if (!hwr_list_append_int(heap, found, place)) ok(HWR_NO_MEMORY);
    hwr_release(heap, found);
}

/* pairs[previous, word] += 1 */
static void count_pair(void *pairs, void *previous, void *word) {
    void *pair = made(hwr_tuple(heap, (void *[]){previous, word}, 2)), *count = NULL;
    int64_t before = 0;
    if (hwr_dict_get(heap, pairs, pair, &count) == HWR_OK) ok(hwr_int_get(count, &before));
    hwr_release(heap, count);
    count = made(hwr_int(heap, before + 1));
    ok(hwr_dict_set(heap, pairs, pair, count));
    hwr_release(heap, count);
    hwr_release(heap, pair);
}

static size_t read_words(FILE *file, void *places, void *pairs) {
    char text[16];
    int64_t place = 0;
    void *previous = str("");
    for (; fscanf(file, "%15s", text) == 1; place++) {
        void *word = str(text);
        add_place(places, word, place);
        count_pair(pairs, previous, word);
        hwr_release(heap, previous);
        previous = word;
    }
    hwr_release(heap, previous);
    return (size_t)place;
}

static void set_and_release(void *dict, const char *key, void *value) {
    ok(hwr_dict_set_text(heap, dict, key, made(value)));
    hwr_release(heap, value);
}

/* {word: {"count": len(found), "first": found[0], "places": found} for word, found in places.items()} */
static void *index_of(const void *places) {
    void *index = made(hwr_dict(heap, hwr_dict_length(places))), *word, *found, *first;
    for (size_t position = 0; hwr_dict_next(heap, places, &position, &word, &found) == HWR_OK;) {
        void *entry = made(hwr_dict(heap, 3));
        set_and_release(entry, "count", hwr_int(heap, (int64_t)hwr_list_length(found)));
        ok(hwr_list_get(heap, found, 0, &first));
        set_and_release(entry, "first", first);
        set_and_release(entry, "places", found);
        ok(hwr_dict_set(heap, index, word, entry));
        hwr_release(heap, entry);
        hwr_release(heap, word);
    }
    return index;
}

/* The entries of a dict whose values are ints as a list of tuples (-value, number, key), sorted: the largest values first, and those that came first. */
static void *largest(const void *counts) {
    void *ranks = made(hwr_list(heap, hwr_dict_length(counts))), *key, *count, *negative;
    int64_t number = 0;
    for (size_t position = 0; hwr_dict_next(heap, counts, &position, &key, &count) == HWR_OK; number++) {
        ok(hwr_negate(heap, count, &negative));
        void *place = made(hwr_int(heap, number)), *rank = made(hwr_tuple(heap, (void *[]){negative, place, key}, 3));
        if (!hwr_list_append(heap, ranks, rank)) ok(HWR_NO_MEMORY);
        void *done[] = {rank, place, negative, count, key};
        for (int i = 0; i < 5; i++) hwr_release(heap, done[i]);
    }
    ok(hwr_list_sort(heap, ranks));
    return ranks;
}

/* The key and the value of a rank. */
static void *take_rank(const void *ranks, size_t i, int64_t *count) {
    void *rank, *negative, *key;
    ok(hwr_list_get(heap, ranks, i, &rank));
    ok(hwr_tuple_get(heap, rank, 0, &negative));
    ok(hwr_tuple_get(heap, rank, 2, &key));
    ok(hwr_int_get(negative, count));
    *count = -*count;
    hwr_release(heap, negative);
    hwr_release(heap, rank);
    return key;
}

/* [[*pair, count] for pair, count in pairs.most_common(most)] */
static void *most_common(const void *pairs, size_t most) {
    void *ranks = largest(pairs), *result = made(hwr_list(heap, 0)), *entry;
    for (size_t i = 0; i < most && i < hwr_list_length(ranks); i++) {
        int64_t count;
        void *pair = take_rank(ranks, i, &count);
        ok(hwr_list_of(heap, pair, &entry));
        if (!hwr_list_append_int(heap, entry, count) || !hwr_list_append(heap, result, entry)) ok(HWR_NO_MEMORY);
        hwr_release(heap, entry);
        hwr_release(heap, pair);
    }
    hwr_release(heap, ranks);
    return result;
}

static void *write_and_read(const void *document, long *size) {
    Reader reader;
    FILE *file = tmpfile();
    void *read = NULL;
    if (file && write_json(document, file, false)) {
        *size = ftell(file) - 1; /* without the line's end */
        rewind(file);
        read = read_json((Source){"what was written", file, NULL}, &reader);
    }
    if (file) fclose(file);
    if (!read) exit((fprintf(stderr, "word_index: %s\n", file ? error : "no temporary file"), 1));
    return read;
}

static void print_most_frequent(const void *places, int most) {
    void *counts = made(hwr_dict(heap, 0)), *word, *found;
    for (size_t position = 0; hwr_dict_next(heap, places, &position, &word, &found) == HWR_OK;) {
        void *count = made(hwr_int(heap, (int64_t)hwr_list_length(found)));
        ok(hwr_dict_set(heap, counts, word, count));
        void *done[] = {count, found, word};
        for (int i = 0; i < 3; i++) hwr_release(heap, done[i]);
    }
    void *ranks = largest(counts);
    printf("most frequent:");
    for (int i = 0; i < most; i++) {
        int64_t count;
        word = take_rank(ranks, (size_t)i, &count);
        printf("%s %s %lld", i ? "," : "", hwr_str_ascii(word), (long long)count);
        hwr_release(heap, word);
    }
    puts("");
    hwr_release(heap, ranks);
    hwr_release(heap, counts);
}

int main(int argc, char **argv) {
    start();
    FILE *text = tmpfile();
    if (!text) return fputs("word_index: no temporary file\n", stderr), 1;
    write_words(text, argc > 1 ? atol(argv[1]) : 300000);
    rewind(text);
    void *places = made(hwr_dict(heap, 0)), *pairs = made(hwr_dict(heap, 0)), *again;
    size_t words = read_words(text, places, pairs);
    fclose(text);

    void *index = index_of(places), *document = made(hwr_dict(heap, 0));
    ok(hwr_dict_set_text(heap, document, "index", index));
    set_and_release(document, "pairs", most_common(pairs, 20000));
    long size = 0;
    void *read = write_and_read(document, &size);
    ok(hwr_dict_get_text(heap, read, "index", &again));
    if (!equal(again, index)) return fputs("word_index: another index was read\n", stderr), 1;

    printf("words: %zu different: %zu pairs: %zu\n", words, hwr_dict_length(places), hwr_dict_length(pairs));
    printf("characters of JSON: %ld\n", size);
    print_most_frequent(places, 5);
    void *all[] = {again, read, document, index, pairs, places};
    for (int i = 0; i < 6; i++) hwr_release(heap, all[i]);
    hwr_heap_close(heap);
    return 0;
}
