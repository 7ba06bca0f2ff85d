/* A small Lisp on the kinds: a model of how an interpreter embeds the library. The values of the language are Python's (None, bool, int of any size, float, str,
 * list, dict); what else an interpreter has (symbols, scopes, functions) are types of its own, on the same heap.
 *
 *     interpreter            a session if standard input is a terminal, otherwise the demonstration at the end of this file
 *     interpreter FILE       runs a program; - is standard input
 *
 * Memory is managed by four rules, which hold in every function below:
 *   - What a function returns is owned by its caller; what it is given is borrowed, unless it says "takes over".
 *   - A local variable that owns a reference is released, given to a field, or returned.
 *   - Fields are written with hwr_set (adds a reference), hwr_give (takes over the one we have) or, if new, hwr_init.
 *   - The interpreter itself is not on the heap, so it holds its global objects by handles.
 * NULL stands for an error, whose message is in the interpreter. Nobody ever frees a cycle here: the collector does. */
#include <heapwright.h>

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DEEPEST = 1000, LIMIT = 64 << 20 };

typedef enum Form { QUOTE, IF, DEFINE, SET, LAMBDA, FORMS } Form;
static const char *const form_names[FORMS] = {"quote", "if", "define", "set!", "lambda"};

typedef struct Interpreter {
    hwr_heap *heap;
    hwr_handle *globals;      /* a Scope */
    hwr_handle *symbols;      /* a table from names to symbols that are in use */
    hwr_handle *forms[FORMS]; /* the symbols of the special forms */
    size_t objects_at_start;  /* None, True, small ints, ... */
    int depth;
    bool incomplete; /* the text ended inside an expression */
    char error[200]; /* "": none */
} Interpreter;

/* ---- the interpreter's own types: a program is made of lists, symbols and constants ---- */

typedef struct Symbol {
    void *name; /* a str */
} Symbol;
typedef struct Scope {
    struct Scope *outer;
    void *values; /* a dict from names */
} Scope;
typedef struct Function {
    void *parameters; /* a list of symbols */
    void *form;       /* the list in which the function is written: its body begins with the third item */
    Scope *scope;     /* where it was made; if it was also stored there, that is a cycle */
} Function;
typedef struct Builtin Builtin;
struct Builtin {
    void *(*call)(Interpreter *in, const Builtin *self, const void *arguments); /* a list */
    const char *name;
    hwr_result (*operation)(hwr_heap *heap, const void *a, const void *b, void **result); /* of arithmetic */
};

static const hwr_type symbol_type = {
    .name = "symbol", .size = sizeof(Symbol), HWR_REFS(Symbol, name), .flags = HWR_ACYCLIC};
static const hwr_type scope_type = {.name = "scope", .size = sizeof(Scope), HWR_REFS(Scope, outer, values)};
static const hwr_type function_type = {
    .name = "function", .size = sizeof(Function), HWR_REFS(Function, parameters, form, scope)};
static const hwr_type builtin_type = {.name = "builtin", .size = sizeof(Builtin)};

static bool is(const void *value, const hwr_type *type) { return value && hwr_type_of(value) == type; }
static bool is_list(const void *value) { return value && hwr_kind_of(value) == HWR_LIST; }
static bool is_dict(const void *value) { return value && hwr_kind_of(value) == HWR_DICT; }

/* ---- making values ---- */

/* Always NULL, so that it can be returned. The first error is the one that is told. */
static void *fail(Interpreter *in, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    if (!*in->error) vsnprintf(in->error, sizeof in->error, format, arguments);
    va_end(arguments);
    return NULL;
}

static void *made(Interpreter *in, void *object) { return object ? object : fail(in, "out of memory"); }

/* What a call that returns a result has put into *value. */
static void *made_by(Interpreter *in, const char *who, hwr_result result, void *const *value) {
    return result == HWR_OK ? *value : fail(in, "%s: %s", who, hwr_result_text(result));
}

static void *retained(Interpreter *in, void *object) {
    hwr_retain(in->heap, object);
    return object;
}

static void *str(Interpreter *in, const char *text, size_t length) {
    void *result = NULL;
    return made_by(in, "a text", hwr_str_from(in->heap, text, length, &result), &result);
}

/* One object for each name, as long as anything holds it: the table refers to it weakly. */
static void *symbol(Interpreter *in, const char *name, size_t length) {
    hwr_weak_values *symbols = hwr_handle_get(in->heap, in->symbols);
    Symbol *result = hwr_weak_values_get(in->heap, symbols, name, length);
    if (result) return result;
    void *text = str(in, name, length);
    result = text ? made(in, hwr_new(in->heap, &symbol_type)) : NULL;
    if (result && hwr_str_intern(in->heap, &text)) {
        hwr_init(in->heap, result, &result->name, text);
        if (hwr_weak_values_set(in->heap, symbols, name, length, result)) return result;
    } else {
        hwr_release(in->heap, text);
    }
    hwr_release(in->heap, result);
    return made(in, NULL);
}

/* A symbol's name, for messages. */
static const char *name_of(const void *a_symbol) {
    const char *text = hwr_str_ascii(((const Symbol *)a_symbol)->name);
    return text ? text : "(that name)";
}

/* Takes over `value`; NULL is an error that has happened already. */
static bool append(Interpreter *in, void *list, void *value) {
    bool well = value && (hwr_list_append(in->heap, list, value) || made(in, NULL));
    hwr_release(in->heap, value);
    return well;
}

/* An item of a list; NULL, which is no error yet, if there are fewer. */
static void *item(Interpreter *in, const void *list, size_t index) {
    void *result = NULL;
    hwr_result done = hwr_list_get(in->heap, list, index, &result);
    return done == HWR_NO_MEMORY ? made(in, NULL) : result;
}

/* ---- names ---- */

static bool define(Interpreter *in, Scope *scope, const Symbol *name, const void *value) {
    return hwr_dict_set(in->heap, scope->values, name->name, value) == HWR_OK || made(in, NULL);
}

/* The innermost of `scope` and those around it that has a name, borrowed; its value. */
static Scope *find(Interpreter *in, Scope *scope, const Symbol *name, void **value) {
    for (; scope; scope = scope->outer)
        if (hwr_dict_get(in->heap, scope->values, name->name, value) == HWR_OK) return scope;
    return fail(in, "there is no %.100s", name_of(name));
}

static Scope *new_scope(Interpreter *in, Scope *outer) {
    Scope *scope = made(in, hwr_new(in->heap, &scope_type));
    if (!scope) return NULL;
    hwr_set(in->heap, scope, &scope->outer, outer);
    hwr_give(in->heap, scope, &scope->values, made(in, hwr_dict(in->heap, 0)));
    if (scope->values) return scope;
    hwr_release(in->heap, scope);
    return NULL;
}

/* ---- evaluation ---- */

static void *evaluate(Interpreter *in, void *expression, Scope *scope);

/* Those of a list from the given position on; the value is that of the last. */
static void *evaluate_body(Interpreter *in, const void *list, size_t from, Scope *scope) {
    void *result = hwr_none(in->heap);
    for (size_t i = from; result && i < hwr_list_length(list); i++) {
        void *expression = item(in, list, i);
        hwr_release(in->heap, result);
        result = expression ? evaluate(in, expression, scope) : NULL;
        hwr_release(in->heap, expression);
    }
    return result;
}

static void *evaluate_arguments(Interpreter *in, const void *call, Scope *scope) {
    void *arguments = made(in, hwr_list(in->heap, hwr_list_length(call)));
    for (size_t i = 1; arguments && i < hwr_list_length(call); i++) {
        void *expression = item(in, call, i);
        bool well = expression && append(in, arguments, evaluate(in, expression, scope));
        hwr_release(in->heap, expression);
        if (well) continue;
        hwr_release(in->heap, arguments);
        return NULL;
    }
    return arguments;
}

static bool bind_all(Interpreter *in, Scope *scope, const void *names, const void *values) {
    size_t count = hwr_list_length(names), given = hwr_list_length(values);
    if (count != given) return fail(in, "too %s arguments", given < count ? "few" : "many");
    bool well = true;
    for (size_t i = 0; well && i < count; i++) {
        void *name = item(in, names, i), *value = item(in, values, i);
        if (name && !is(name, &symbol_type)) fail(in, "a parameter is not a name");
        well = value && !*in->error && define(in, scope, name, value);
        hwr_release(in->heap, value);
        hwr_release(in->heap, name);
    }
    return well;
}

static void *apply(Interpreter *in, void *callee, const void *arguments) {
    if (is(callee, &builtin_type)) return ((Builtin *)callee)->call(in, callee, arguments);
    if (!is(callee, &function_type)) return fail(in, "what is called is not a function");
    const Function *function = callee;
    Scope *scope = new_scope(in, function->scope);
    if (!scope) return NULL;
    bool bound = bind_all(in, scope, function->parameters, arguments);
    void *result = bound ? evaluate_body(in, function->form, 2, scope) : NULL;
    hwr_release(in->heap, scope);
    return result;
}

static void *make_function(Interpreter *in, void *parameters, void *form, Scope *scope) {
    if (!is_list(parameters)) return fail(in, "a function needs a list of parameters");
    Function *function = made(in, hwr_new(in->heap, &function_type));
    if (!function) return NULL;
    hwr_set(in->heap, function, &function->parameters, parameters);
    hwr_set(in->heap, function, &function->form, form);
    hwr_set(in->heap, function, &function->scope, scope);
    return function;
}

/* (define name value), or (define (name parameter ...) expression ...); `name` is taken over. */
static void *evaluate_define(Interpreter *in, void *name, void *form, Scope *scope) {
    void *value, *parameters = NULL;
    if (is_list(name) && hwr_list_length(name) > 0) {
        hwr_result result = hwr_list_slice(in->heap, name, 1, SIZE_MAX, &parameters);
        parameters = made_by(in, "define", result, &parameters);
        hwr_release(in->heap, name);
        name = item(in, name, 0); /* the form has it still */
        value = parameters ? make_function(in, parameters, form, scope) : NULL;
        hwr_release(in->heap, parameters);
    } else {
        value = evaluate_body(in, form, 2, scope);
    }
    if (value && !is(name, &symbol_type)) fail(in, "what is defined is not a name");
    bool well = value && !*in->error && define(in, scope, name, value);
    hwr_release(in->heap, value);
    hwr_release(in->heap, name);
    return well ? hwr_none(in->heap) : NULL;
}

static void *evaluate_set(Interpreter *in, void *name, const void *form, Scope *scope) {
    void *before = NULL, *value = is(name, &symbol_type) ? evaluate_body(in, form, 2, scope)
                                                         : fail(in, "set! needs a name and a value");
    scope = value ? find(in, scope, name, &before) : NULL;
    hwr_release(in->heap, before);
    if (scope && define(in, scope, name, value)) return value;
    hwr_release(in->heap, value);
    return NULL;
}

static void *evaluate_if(Interpreter *in, void *condition, const void *form, Scope *scope) {
    void *decision = evaluate(in, condition, scope);
    if (!decision) return NULL;
    void *chosen = item(in, form, hwr_truth(decision) ? 2 : 3);
    hwr_release(in->heap, decision);
    void *result = chosen ? evaluate(in, chosen, scope) : *in->error ? NULL : hwr_none(in->heap);
    hwr_release(in->heap, chosen);
    return result;
}

/* Takes over `first`, the item behind the form's name. */
static void *evaluate_form(Interpreter *in, Form which, void *first, void *form, Scope *scope) {
    void *result = NULL;
    if (which == QUOTE) return first;
    if (which == DEFINE) return evaluate_define(in, first, form, scope);
    if (which == SET) result = evaluate_set(in, first, form, scope);
    if (which == LAMBDA) result = make_function(in, first, form, scope);
    if (which == IF) result = evaluate_if(in, first, form, scope);
    hwr_release(in->heap, first);
    return result;
}

/* The function is owned while it runs: it may change the name by which it was found. */
static void *evaluate_call(Interpreter *in, void *head, const void *call, Scope *scope) {
    void *callee = evaluate(in, head, scope);
    void *arguments = callee ? evaluate_arguments(in, call, scope) : NULL;
    void *result = arguments ? apply(in, callee, arguments) : NULL;
    hwr_release(in->heap, arguments);
    hwr_release(in->heap, callee);
    return result;
}

static void *evaluate_list(Interpreter *in, void *list, Scope *scope) {
    void *head = item(in, list, 0), *result = NULL;
    if (!head) return *in->error ? NULL : retained(in, list); /* the empty list is itself */
    Form form = 0;
    while (form < FORMS && head != hwr_handle_get(in->heap, in->forms[form])) form++;
    if (form == FORMS) {
        result = evaluate_call(in, head, list, scope);
    } else {
        void *first = item(in, list, 1);
        result = first ? evaluate_form(in, form, first, list, scope) : fail(in, "%s needs more", form_names[form]);
    }
    hwr_release(in->heap, head);
    return result;
}

static void *evaluate(Interpreter *in, void *expression, Scope *scope) {
    void *result = NULL;
    if (is(expression, &symbol_type)) return find(in, scope, expression, &result) ? result : NULL;
    if (!is_list(expression)) return retained(in, expression);
    if (in->depth == DEEPEST) return fail(in, "calls are nested too deeply");
    in->depth++;
    result = evaluate_list(in, expression, scope);
    in->depth--;
    return result;
}

/* ---- what is built in: nearly all of it is what the kinds can do ---- */

static void *argument(Interpreter *in, const Builtin *self, const void *arguments, size_t index) {
    void *result = item(in, arguments, index);
    return result ? result : fail(in, "%s needs more arguments", self->name);
}

/* The first two arguments; neither is owned if it returns false. */
static bool two(Interpreter *in, const Builtin *self, const void *arguments, void **first, void **second) {
    *first = argument(in, self, arguments, 0);
    *second = *first ? argument(in, self, arguments, 1) : NULL;
    if (!*second) hwr_release(in->heap, *first);
    return *second;
}

static void *call_arithmetic(Interpreter *in, const Builtin *self, const void *arguments) {
    void *result = argument(in, self, arguments, 0);
    for (size_t i = 1; result && i < hwr_list_length(arguments); i++) {
        void *operand = item(in, arguments, i), *next = NULL;
        if (operand) next = made_by(in, self->name, self->operation(in->heap, result, operand, &next), &next);
        hwr_release(in->heap, operand);
        hwr_release(in->heap, result);
        result = next;
    }
    return result;
}

static void *call_compare(Interpreter *in, const Builtin *self, const void *arguments) {
    void *left, *right;
    int order = 0;
    bool equal = false;
    if (!two(in, self, arguments, &left, &right)) return NULL;
    hwr_result result =
        *self->name == '=' ? hwr_equal(in->heap, left, right, &equal) : hwr_compare(in->heap, left, right, &order);
    hwr_release(in->heap, right);
    hwr_release(in->heap, left);
    return result == HWR_OK ? hwr_bool(in->heap, equal || order < 0) : made_by(in, self->name, result, NULL);
}

static void *call_list(Interpreter *in, const Builtin *self, const void *arguments) {
    void *copy = NULL;
    return made_by(in, self->name, hwr_list_slice(in->heap, arguments, 0, SIZE_MAX, &copy), &copy);
}

static void *call_dict(Interpreter *in, const Builtin *self, const void *arguments) {
    (void)self;
    (void)arguments;
    return made(in, hwr_dict(in->heap, 0));
}

/* (get dict key otherwise) */
static void *call_get(Interpreter *in, const Builtin *self, const void *arguments) {
    void *dict, *key, *result = NULL;
    if (!two(in, self, arguments, &dict, &key)) return NULL;
    hwr_result found = is_dict(dict) ? hwr_dict_get(in->heap, dict, key, &result) : HWR_WRONG_KIND;
    hwr_release(in->heap, key);
    hwr_release(in->heap, dict);
    return found == HWR_NOT_FOUND ? argument(in, self, arguments, 2) : made_by(in, self->name, found, &result);
}

/* (put dict key value) */
static void *call_put(Interpreter *in, const Builtin *self, const void *arguments) {
    void *dict, *key, *value = argument(in, self, arguments, 2);
    if (!value) return NULL;
    hwr_result result = HWR_OK;
    if (two(in, self, arguments, &dict, &key)) {
        result = is_dict(dict) ? hwr_dict_set(in->heap, dict, key, value) : HWR_WRONG_KIND;
        hwr_release(in->heap, key);
        hwr_release(in->heap, dict);
    }
    if (result == HWR_OK) return value;
    hwr_release(in->heap, value);
    return made_by(in, self->name, result, NULL);
}

/* (cons head tail): another list, with the head in front. */
static void *call_cons(Interpreter *in, const Builtin *self, const void *arguments) {
    void *head, *tail;
    if (!two(in, self, arguments, &head, &tail)) return NULL;
    void *list = is_list(tail) ? made(in, hwr_list(in->heap, hwr_list_length(tail) + 1))
                               : fail(in, "%s needs a value and a list", self->name);
    bool well =
        list && append(in, list, retained(in, head)) && (hwr_list_extend(in->heap, list, tail) || made(in, NULL));
    hwr_release(in->heap, tail);
    hwr_release(in->heap, head);
    if (well) return list;
    hwr_release(in->heap, list);
    return NULL;
}

static void *call_part(Interpreter *in, const Builtin *self, const void *arguments) {
    void *list = argument(in, self, arguments, 0), *result = NULL;
    if (list && (!is_list(list) || hwr_list_length(list) == 0))
        fail(in, "%s needs a list that is not empty", self->name);
    else if (list && *self->name == 'h')
        result = item(in, list, 0);
    else if (list)
        result = made_by(in, self->name, hwr_list_slice(in->heap, list, 1, SIZE_MAX, &result), &result);
    hwr_release(in->heap, list);
    return result;
}

static void *call_length(Interpreter *in, const Builtin *self, const void *arguments) {
    void *value = argument(in, self, arguments, 0);
    size_t length = 0;
    hwr_result result = value ? hwr_length(value, &length) : HWR_OK;
    hwr_release(in->heap, value);
    if (!value || result != HWR_OK) return made_by(in, self->name, result, NULL);
    return made(in, hwr_int(in->heap, (int64_t)length));
}

static void *call_join(Interpreter *in, const Builtin *self, const void *arguments) {
    void *nothing = str(in, "", 0), *result = NULL;
    if (!nothing) return NULL;
    result = made_by(in, self->name, hwr_str_join(in->heap, nothing, arguments, &result), &result);
    hwr_release(in->heap, nothing);
    return result;
}

/* A str by itself as it is; all else as Python's repr() has it. */
static bool print(Interpreter *in, void *value) {
    void *text = NULL;
    if (hwr_kind_of(value) == HWR_STR) text = retained(in, value);
    if (!text) text = made_by(in, "print", hwr_repr(in->heap, value, &text), &text);
    size_t length = text ? hwr_str_utf8(text, NULL, 0) : 0;
    char *bytes = text ? made(in, malloc(length + 1)) : NULL;
    if (bytes) {
        hwr_str_utf8(text, bytes, length + 1);
        fwrite(bytes, 1, length, stdout);
    }
    free(bytes);
    hwr_release(in->heap, text);
    return bytes;
}

static void *call_print(Interpreter *in, const Builtin *self, const void *arguments) {
    (void)self;
    bool well = true;
    for (size_t i = 0; well && i < hwr_list_length(arguments); i++) {
        void *value = item(in, arguments, i);
        if (i) putchar(' ');
        well = value && print(in, value);
        hwr_release(in->heap, value);
    }
    putchar('\n');
    return well ? hwr_none(in->heap) : NULL;
}

static void *call_collect(Interpreter *in, const Builtin *self, const void *arguments) {
    (void)self;
    (void)arguments;
    return made(in, hwr_int(in->heap, (int64_t)hwr_collect(in->heap, HWR_OLDEST)));
}

static void *call_figure(Interpreter *in, const Builtin *self, const void *arguments) {
    (void)arguments;
    hwr_heap_stats stats;
    hwr_counters counters;
    hwr_heap_get_stats(in->heap, &stats);
    hwr_get_counters(in->heap, &counters);
    return made(in, hwr_int(in->heap, (int64_t)(*self->name == 'o' ? stats.objects : counters.collected)));
}

static const Builtin builtins[] = {
    {call_arithmetic, "+", hwr_add},
    {call_arithmetic, "-", hwr_subtract},
    {call_arithmetic, "*", hwr_multiply},
    {call_arithmetic, "/", hwr_divide},
    {call_arithmetic, "//", hwr_floor_divide},
    {call_arithmetic, "%", hwr_modulo},
    {call_compare, "<", NULL},
    {call_compare, "=", NULL},
    {call_list, "list", NULL},
    {call_cons, "cons", NULL},
    {call_part, "head", NULL},
    {call_part, "tail", NULL},
    {call_length, "length", NULL},
    {call_dict, "dict", NULL},
    {call_get, "get", NULL},
    {call_put, "put", NULL},
    {call_join, "join", NULL},
    {call_print, "print", NULL},
    {call_collect, "collect", NULL}, /* collects now; how many objects nobody could reach */
    {call_figure, "objects", NULL},  /* how many are alive */
    {call_figure, "garbage", NULL},  /* how many the collector has freed so far */
};

/* ---- reading: a program becomes lists of lists ---- */

static void skip_space(const char **at) {
    while (isspace((unsigned char)**at) || **at == ';')
        if (**at == ';')
            *at += strcspn(*at, "\n");
        else
            ++*at;
}

static void *read_value(Interpreter *in, const char **at);

static void *read_list(Interpreter *in, const char **at) {
    void *list = made(in, hwr_list(in->heap, 0));
    for (skip_space(at); list && **at != ')'; skip_space(at)) {
        if (append(in, list, read_value(in, at))) continue;
        hwr_release(in->heap, list);
        list = NULL;
    }
    ++*at;
    return list;
}

static void *end_of_text(Interpreter *in) {
    in->incomplete = true;
    return fail(in, "the program ends inside an expression");
}

static void *read_string(Interpreter *in, const char **at) {
    size_t length = strcspn(*at, "\"");
    const char *text = *at;
    *at += length;
    if (!**at) return end_of_text(in);
    ++*at;
    return str(in, text, length);
}

static void *read_word(Interpreter *in, const char **at) {
    size_t length = strcspn(*at, " \t\r\n();\"'");
    const char *word = *at;
    void *number = NULL;
    *at += length;
    if (!isdigit((unsigned char)word[*word == '-'])) return symbol(in, word, length);
    hwr_result result = hwr_int_parse(in->heap, word, length, 10, &number);
    if (result == HWR_BAD_VALUE) result = hwr_float_parse(in->heap, word, length, &number);
    return result == HWR_BAD_VALUE ? symbol(in, word, length) : made_by(in, "a number", result, &number);
}

/* 'x is short for (quote x). */
static void *read_quoted(Interpreter *in, const char **at) {
    void *list = made(in, hwr_list(in->heap, 2));
    if (list && append(in, list, retained(in, hwr_handle_get(in->heap, in->forms[QUOTE]))) &&
        append(in, list, read_value(in, at)))
        return list;
    hwr_release(in->heap, list);
    return NULL;
}

static void *read_nested(Interpreter *in, const char **at) {
    if (**at == '(') return ++*at, read_list(in, at);
    if (**at == '\'') return ++*at, read_quoted(in, at);
    if (**at == '"') return ++*at, read_string(in, at);
    if (**at == ')') return fail(in, "a ) too many");
    return read_word(in, at);
}

static void *read_value(Interpreter *in, const char **at) {
    skip_space(at);
    if (!**at) return end_of_text(in);
    if (in->depth == DEEPEST) return fail(in, "the program is nested too deeply");
    in->depth++;
    void *result = read_nested(in, at);
    in->depth--;
    return result;
}

/* Reads and evaluates all expressions in a text. Returns false if there was an error. */
static bool run(Interpreter *in, const char *program, bool show) {
    *in->error = '\0';
    in->incomplete = false;
    bool well = true;
    for (skip_space(&program); well && *program; skip_space(&program)) {
        void *expression = read_value(in, &program);
        void *value = expression ? evaluate(in, expression, hwr_handle_get(in->heap, in->globals)) : NULL;
        hwr_release(in->heap, expression);
        well = value;
        if (well && show && hwr_kind_of(value) != HWR_NONE) {
            well = print(in, value);
            putchar('\n');
        }
        hwr_release(in->heap, value);
    }
    return well;
}

/* ---- the interpreter ---- */

static size_t objects_of(Interpreter *in) {
    hwr_heap_stats stats;
    hwr_heap_get_stats(in->heap, &stats);
    return stats.objects;
}

/* A new handle on an object, which it takes over. */
static hwr_handle *handle_on(Interpreter *in, void *object) {
    hwr_handle *handle = object ? hwr_handle_new(in->heap, object) : NULL;
    hwr_release(in->heap, object);
    return made(in, handle);
}

/* Defines a name for all programs; takes over the value. */
static bool define_global(Interpreter *in, const char *name, void *value) {
    void *key = value ? symbol(in, name, strlen(name)) : NULL;
    bool well = key && define(in, hwr_handle_get(in->heap, in->globals), key, value);
    hwr_release(in->heap, key);
    hwr_release(in->heap, value);
    return well;
}

static bool interpreter_open(Interpreter *in) {
    *in = (Interpreter){.error = ""};
    in->heap = hwr_heap_open(&(hwr_options){.size = sizeof(hwr_options), .limit = (size_t)LIMIT});
    if (!in->heap || !hwr_kinds_open(in->heap)) return made(in, NULL);
    in->objects_at_start = objects_of(in);
    in->globals = handle_on(in, new_scope(in, NULL));
    in->symbols = handle_on(in, hwr_weak_values_new(in->heap));
    if (*in->error) return false;
    for (int i = 0; i < FORMS; i++)
        if (!(in->forms[i] = handle_on(in, symbol(in, form_names[i], strlen(form_names[i]))))) return false;
    for (size_t i = 0; i < sizeof builtins / sizeof *builtins; i++) {
        Builtin *object = made(in, hwr_new(in->heap, &builtin_type));
        if (object) *object = builtins[i];
        if (!define_global(in, builtins[i].name, object)) return false;
    }
    return define_global(in, "nil", hwr_none(in->heap)) && define_global(in, "true", hwr_bool(in->heap, true)) &&
           define_global(in, "false", hwr_bool(in->heap, false));
}

/* Closing the heap frees whatever is on it, so nothing need be taken down first. We do it all the same, to see that nothing is left. */
static size_t interpreter_close(Interpreter *in) {
    hwr_handle_free(in->heap, in->globals);
    hwr_handle_free(in->heap, in->symbols);
    for (int i = 0; i < FORMS; i++) hwr_handle_free(in->heap, in->forms[i]);
    hwr_collect(in->heap, HWR_OLDEST);
    size_t left = objects_of(in) - in->objects_at_start;
    hwr_heap_close(in->heap);
    return left;
}

/* ---- where programs come from ---- */

static const char *const demonstration =
    "(print \"-- values\")\n"
    "(define (map f items) (if items (cons (f (head items)) (map f (tail items))) '()))\n"
    "(print (map (lambda (x) (* x x)) '(1 2 3 4)) (join \"he\" \"ap\") (/ 1 4) (// -7 2) (% -7 2) (= 1 1.0) nil)\n"
    "\n"
    "(print \"-- ints of any size\")\n"
    "(define (factorial n)\n"
    "    (define (multiply k so-far) (if (< k 2) so-far (multiply (- k 1) (* k so-far))))\n"
    "    (multiply n 1))\n"
    "(print \"30! =\" (factorial 30))\n"
    "\n"
    "(print \"-- a dict counts\")\n"
    "(define counts (dict))\n"
    "(map (lambda (word) (put counts word (+ 1 (get counts word 0)))) '(\"to\" \"be\" \"or\" \"not\" \"to\" \"be\"))\n"
    "(print counts \"different:\" (length counts))\n"
    "\n"
    "(print \"-- a function holds the scope in which it was made\")\n"
    "(define (counter) (define n 0) (lambda () (set! n (+ n 1))))\n"
    "(define first (counter))\n"
    "(define second (counter))\n"
    "(print (first) (first) (first) (second))\n"
    "\n"
    "(print \"-- a scope that holds such a function, as that of factorial does, is a cycle\")\n"
    "(define (repeat n f) (if (< n 1) nil ((lambda () (f) (repeat (- n 1) f)))))\n"
    "(define (alive) (collect) (objects))\n"
    "(define (left-by f)\n"
    "    (define before (* 1000 1000))\n"
    "    (define after 0)\n"
    "    (set! before (alive))\n"
    "    (f)\n"
    "    (set! after (alive))\n"
    "    (- after before))\n"
    "(define garbage-before (garbage))\n"
    "(define left (left-by (lambda () (repeat 100 (lambda () (factorial 5))))))\n"
    "(print \"at least 300 objects in such cycles were freed:\" (< 299 (- (garbage) garbage-before)))\n"
    "(print \"objects that are left of them:\" left)\n";

/* All of a file, to be freed with free(); NULL if it cannot be read. */
static char *contents(FILE *file) {
    size_t length = 0, room = 4096;
    char *bytes = malloc(room);
    while (bytes) {
        length += fread(bytes + length, 1, room - length - 1, file);
        if (length < room - 1) break;
        char *more = realloc(bytes, room *= 2);
        if (!more) free(bytes);
        bytes = more;
    }
    if (bytes) bytes[length] = '\0';
    if (!bytes || !ferror(file)) return bytes;
    free(bytes);
    return NULL;
}

static bool run_file(Interpreter *in, const char *path) {
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
    char *program = file ? contents(file) : NULL;
    if (file && file != stdin) fclose(file);
    if (!program) {
        fail(in, "%s cannot be read", path);
        return false;
    }
    bool well = run(in, program, false);
    free(program);
    return well;
}

/* A line, or several until what they say is complete. */
static void converse(Interpreter *in) {
    char lines[4096];
    for (size_t length = 0;;) {
        fputs(length ? ". " : "> ", stdout);
        fflush(stdout);
        if (!fgets(lines + length, (int)(sizeof lines - length), stdin)) break;
        if (run(in, lines, true)) {
            length = 0;
        } else if (in->incomplete && strlen(lines) < sizeof lines - 2) {
            length = strlen(lines);
        } else {
            printf("%s\n", in->error);
            length = 0;
        }
    }
    putchar('\n');
}

int main(int count, char **words) {
    Interpreter in;
    bool well = true;
    if (!interpreter_open(&in)) {
        fprintf(stderr, "interpreter: %s\n", in.error);
        hwr_heap_close(in.heap);
        return 1;
    }
    if (count > 1)
        well = run_file(&in, words[1]);
    else if (isatty(STDIN_FILENO))
        converse(&in);
    else
        well = run(&in, demonstration, false);
    fflush(stdout);
    if (!well) fprintf(stderr, "interpreter: %s\n", in.error);
    size_t left = interpreter_close(&in);
    if (left) fprintf(stderr, "interpreter: %zu objects were never released\n", left);
    return well && !left ? 0 : 1;
}
