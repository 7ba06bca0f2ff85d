/* Counts words: a dict from strs to ints. A word is what stands between white space of ASCII, in UTF-8.
 *
 *     words [FILE [COUNT]]      the COUNT most frequent words of a file (- is standard input), 10 if not said; those of a sentence if there is no file
 *
 * In Python:
 *     counts = {}
 *     for line in open(FILE, "rb"):
 *         for word in line.split():
 *             word = word.decode()
 *             counts[word] = counts.get(word, 0) + 1
 *     for count, word in sorted((-count, word) for word, count in counts.items())[:10]:
 *         print(-count, word) */
#include <heapwright.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static hwr_heap *heap;

static bool count_word(void *counts, const char *bytes, size_t size) {
    void *word, *count = NULL;
    hwr_result result = hwr_str_from(heap, bytes, size, &word);
    if (result != HWR_OK)
        return fprintf(stderr, "words: %s\n", result == HWR_BAD_VALUE ? "this is no UTF-8" : "no memory"), false;
    int64_t before = 0;
    if (hwr_dict_get(heap, counts, word, &count) == HWR_OK) hwr_int_get(count, &before);
    hwr_release(heap, count);
    count = hwr_int(heap, before + 1); /* ints do not change, so it is another one */
    bool well = count && hwr_dict_set(heap, counts, word, count) == HWR_OK;
    hwr_release(heap, count);
    hwr_release(heap, word);
    return well || (fputs("words: no memory\n", stderr), false);
}

static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/* Counts the complete words of a text and returns how many bytes these take, with the white space; SIZE_MAX if it cannot go on. */
static size_t count_words(void *counts, const char *text, size_t size) {
    size_t done = 0;
    for (size_t i = 0; i < size; i++) {
        if (!is_space(text[i])) continue;
        if (i > done && !count_word(counts, text + done, i - done)) return SIZE_MAX;
        done = i + 1;
    }
    return done;
}

/* Reads as much as there is room for; a word that is cut off moves to the front and is completed by what comes next. */
static bool count_file(void *counts, FILE *file) {
    size_t room = 1 << 16, kept = 0;
    char *buffer = malloc(room);
    bool well = buffer;
    for (size_t size; well && (size = fread(buffer + kept, 1, room - kept, file)) != 0;) {
        size += kept;
        size_t done = count_words(counts, buffer, size);
        if ((well = done != SIZE_MAX)) memmove(buffer, buffer + done, kept = size - done);
        if (well && kept == room) { /* a very long word */
            char *more = realloc(buffer, room *= 2);
            if ((well = more)) buffer = more;
        }
    }
    well = well && (kept == 0 || count_word(counts, buffer, kept));
    free(buffer);
    return well;
}

/* A list of tuples (-count, word), sorted: so the most frequent come first, and among these it goes by the alphabet. */
static void *ranking(const void *counts) {
    void *ranks = hwr_list(heap, hwr_dict_length(counts)), *word, *count;
    bool well = ranks;
    for (size_t position = 0; well && hwr_dict_next(heap, counts, &position, &word, &count) == HWR_OK;) {
        void *negative = NULL, *rank = NULL;
        well = hwr_negate(heap, count, &negative) == HWR_OK &&
               (rank = hwr_tuple(heap, (void *[]){negative, word}, 2)) && hwr_list_append(heap, ranks, rank);
        hwr_release(heap, rank); /* the list has a reference of its own, as the tuple has of its two */
        hwr_release(heap, negative);
        hwr_release(heap, count);
        hwr_release(heap, word);
    }
    if (well && hwr_list_sort(heap, ranks) == HWR_OK) return ranks;
    hwr_release(heap, ranks);
    return NULL;
}

static bool print_most_frequent(const void *ranks, size_t most) {
    bool well = true;
    for (size_t i = 0; well && i < most && i < hwr_list_length(ranks); i++) {
        void *rank, *negative, *word;
        int64_t count = 0;
        if (hwr_list_get(heap, ranks, i, &rank) != HWR_OK) return false;
        hwr_tuple_get(heap, rank, 0, &negative);
        hwr_tuple_get(heap, rank, 1, &word);
        hwr_int_get(negative, &count);
        size_t size = hwr_str_utf8(word, NULL, 0);
        char *text = malloc(size + 1);
        if ((well = text)) {
            hwr_str_utf8(word, text, size + 1);
            printf("%lld %s\n", (long long)-count, text);
        }
        free(text);
        hwr_release(heap, word);
        hwr_release(heap, negative);
        hwr_release(heap, rank);
    }
    return well;
}

static bool run(const char *path, size_t most) {
    static const char sentence[] =
        "a rose is a rose is a rose \xe2\x80\x94 \xc3\xa9t\xc3\xa9 and \xe5\xa4\x8f and \xc3\xa9t\xc3\xa9 ";
    FILE *file = !path ? NULL : strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    if (path && !file) return fprintf(stderr, "words: %s cannot be opened\n", path), false;
    void *counts = hwr_dict(heap, 0), *ranks = NULL;
    bool well =
        counts && (file ? count_file(counts, file) : count_words(counts, sentence, sizeof sentence - 1) != SIZE_MAX);
    well = well && (ranks = ranking(counts)) && print_most_frequent(ranks, most);
    hwr_release(heap, ranks);
    hwr_heap_stats stats;
    hwr_heap_get_stats(heap, &stats);
    if (path && well)
        fprintf(stderr, "%zu different words; %.1f MiB\n", hwr_dict_length(counts),
                (double)stats.committed / (1 << 20));
    hwr_release(heap, counts);
    if (file && file != stdin) fclose(file);
    return well;
}

int main(int count, char **words) {
    heap = hwr_heap_open(&(hwr_options){.size = sizeof(hwr_options)});
    if (!heap || !hwr_kinds_open(heap)) return fputs("words: no memory\n", stderr), 1;
    bool well = run(count > 1 ? words[1] : NULL, count > 2 ? (size_t)strtoul(words[2], NULL, 10) : 10);
    hwr_heap_close(heap);
    return well ? 0 : 1;
}
