/* writer: text that is being made, in a block of the heap's that doubles. */
#include "kinds/kinds.h"
#include "kinds/utf8.h"

enum { LEAST_TEXT_ROOM = 64 };

static bool make_text_room(hwri_writer *writer, size_t more) {
    size_t room = writer->room ? writer->room : LEAST_TEXT_ROOM;
    if (writer->failed) return false;
    if (more <= writer->room - writer->size) return true;
    while (room - writer->size < more && room <= PTRDIFF_MAX / 2) room *= 2;
    char *text = room - writer->size < more ? NULL : hwr_realloc(writer->heap, writer->text, room);
    writer->failed = !text;
    if (!text) return false;
    writer->text = text;
    writer->room = room;
    return true;
}

void hwri_write(hwri_writer *writer, const char *text, size_t size) {
    if (!make_text_room(writer, size)) return;
    memcpy(writer->text + writer->size, text, size);
    writer->size += size;
}

void hwri_write_text(hwri_writer *writer, const char *text) { hwri_write(writer, text, strlen(text)); }

void hwri_write_char(hwri_writer *writer, uint32_t c) {
    char bytes[4];
    hwri_write(writer, bytes, hwri_utf8_write(bytes, c));
}

hwr_result hwri_writer_end(hwri_writer *writer, void **text) {
    hwr_result result = writer->failed
                            ? HWR_NO_MEMORY
                            : hwr_str_from(writer->heap, writer->size ? writer->text : "", writer->size, text);
    hwr_free(writer->heap, writer->text);
    *writer = (hwri_writer){.heap = writer->heap};
    return result;
}
