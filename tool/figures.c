/* figures: numbers as people read them, and as programs do. */
#include "tool.h"

#include <inttypes.h>

struct cell bytes_cell(int64_t bytes) {
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    struct cell cell;
    double value = (double)bytes;
    unsigned unit = 0;
    while ((value >= 1000 || value <= -1000) && unit + 1 < sizeof units / sizeof *units) {
        value /= 1024;
        unit++;
    }
    snprintf(cell.text, sizeof cell.text, unit > 0 ? "%.2f %s" : "%.0f %s", value, units[unit]);
    return cell;
}

/* 1,234,567; in millions when it gets long. */
struct cell count_cell(int64_t count) {
    struct cell cell;
    if (count >= 1000000000) {
        snprintf(cell.text, sizeof cell.text, "%.2f M", (double)count / 1e6);
        return cell;
    }
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%" PRId64, count);
    char *out = cell.text;
    for (int i = 0; i < length; i++) {
        *out++ = digits[i];
        if ((length - 1 - i) % 3 == 0 && i < length - 1 && digits[i] != '-') *out++ = ',';
    }
    *out = '\0';
    return cell;
}

struct cell percent_cell(double part, double whole) {
    struct cell cell = {"-"};
    if (whole > 0) snprintf(cell.text, sizeof cell.text, "%.1f %%", 100 * part / whole);
    return cell;
}

struct cell range_cell(int64_t first, int64_t last) {
    struct cell cell;
    snprintf(cell.text, sizeof cell.text, "%.13s to %.13s", count_cell(first).text, count_cell(last).text);
    return cell;
}

void add_number(cJSON *object, const char *name, uint64_t value) {
    cJSON_AddNumberToObject(object, name, (double)value);
}

void add_signed(cJSON *object, const char *name, int64_t value) {
    cJSON_AddNumberToObject(object, name, (double)value);
}
