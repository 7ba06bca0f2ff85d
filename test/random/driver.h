/* The program round a model: random sequences of bytes, many of them, each with every configuration; what fails is cut down to what still fails.
 * A model takes a sequence of bytes (see pool_model.h): the first is the configuration, after it every DRIVER_STEP bytes are one operation.
 *
 *     PROGRAM [--CHOICE=NAME ...] SEEDS OPERATIONS [FIRST_SEED]
 *                                    SEEDS sequences of OPERATIONS for each configuration. A sequence that fails is printed, cut down, and
 *                                    written to PROGRAM.failed
 *     PROGRAM --replay FILE          runs one stored sequence and prints what it does
 *     PROGRAM --corpus FOLDER        writes a few short sequences, to start a fuzzer with
 */
#ifndef TEST_RANDOM_DRIVER_H
#define TEST_RANDOM_DRIVER_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { DRIVER_STEP = 4, DRIVER_CHOICES = 3 };

/* Bits of a configuration that the command line can fix: --option=one of the names. */
typedef struct driver_choice {
    const char *option;
    const char *const *names; /* ended by NULL */
    unsigned mask, shift;
} driver_choice;

typedef struct driver_subject {
    const char *program;
    void (*run)(const uint8_t *bytes, size_t length, FILE *trace); /* aborts if something is wrong */
    const char *(*describe)(uint8_t configuration);
    unsigned configurations; /* all numbers below this, but those with: */
    uint8_t varied;          /* a bit that is set for every other seed */
    uint8_t slow;            /* configurations with one of these bits run a quarter of the seeds */
    driver_choice choices[DRIVER_CHOICES];
} driver_subject;

/* What main of such a program does. */
int driver_main(const driver_subject *subject, int count, char **arguments);

#endif
