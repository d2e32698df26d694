/*
 * Errors as values.
 *
 * A function that can fail takes `struct error **err` last and returns a negative number (or NULL)
 * after setting it; on success `*err` is untouched. `err` may be NULL when nobody asks. Each layer
 * may put its own noun in front (error_wrap); only main() and the child's first steps print one.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

struct error;

/* Sets *err (which must hold NULL) to a new error and returns -1. */
int error_set(struct error **err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same with ": " and strerror(number) at its end; `number` is an errno. */
int error_set_errno(struct error **err, int number, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "text: " in front of an error that is already set, and returns -1. */
int error_wrap(struct error **err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The text; owned by the error. "unknown error" for NULL. */
const char *error_text(const struct error *error);

/* Frees and sets *err to NULL; NULL is fine. */
void error_free(struct error **err);

#define AUTO_ERROR __attribute__((cleanup(error_free)))

#endif
