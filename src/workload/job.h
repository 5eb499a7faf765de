/* What workers of pools are asked to do. Pure, but for the files that are read. */
#ifndef WORKLOAD_JOB_H
#define WORKLOAD_JOB_H

#include <stddef.h>
#include <stdint.h>

enum { ANSWER_SIZE = 512 };

/*
 * One task: payload is JSON, a map. 0: answer is JSON; else a sentence that says why not.
 * A task that was no map is the "value" of one, as is a word of the command line.
 */
typedef int job_function(const char *payload, size_t size, char answer[ANSWER_SIZE]);

job_function job_fib, job_prime, job_primes, job_checksum, job_echo;

/* Primes from one number on, below the other. */
uint64_t job_count_primes(uint64_t from, uint64_t below);

/* The checksum of POSIX: what `cksum` prints. Begin with 0; add the pieces in order; end with the size of all. */
uint32_t job_checksum_add(uint32_t sum, const void *bytes, size_t size);
uint32_t job_checksum_end(uint32_t sum, uint64_t size);

#endif
