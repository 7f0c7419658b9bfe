/*
 * Sums for the Internet checksum (RFC 1071), while reading and while copying.
 *
 * Words are added in memory order, so nothing is swapped: the folded sum is stored as it is.
 * 32-bit words go into 64-bit lanes, which needs no carries; two lanes fit a vector register of
 * every 64-bit processor, and the compiler makes them from this plain C.
 */
#ifndef DPDK_NET_SUM_H
#define DPDK_NET_SUM_H

#include <stdint.h>
#include <string.h>

typedef uint64_t sum_lanes __attribute__((vector_size(16)));

#define SUM_LOW_HALVES ((sum_lanes){0xffffffff, 0xffffffff})

/* Adds the bytes to `sum`; an odd last byte counts as if a zero followed. */
static inline uint64_t sum_bytes(const uint8_t *at, uint32_t length, uint64_t sum)
{
	sum_lanes even = {0, 0}, odd = {0, 0};
	uint32_t word;

	for (; length >= 32; at += 32, length -= 32) {
		sum_lanes a, b;

		memcpy(&a, at, 16);
		memcpy(&b, at + 16, 16);
		even += (a & SUM_LOW_HALVES) + (b & SUM_LOW_HALVES);
		odd += (a >> 32) + (b >> 32);
	}
	even += odd;
	sum += even[0] + even[1];
	for (; length >= 4; at += 4, length -= 4) {
		memcpy(&word, at, 4);
		sum += word;
	}
	word = 0;
	memcpy(&word, at, length);
	return sum + word;
}

/* The same while copying to `to`: one pass over the bytes. */
static inline uint64_t sum_copy(uint8_t *to, const uint8_t *at, uint32_t length)
{
	sum_lanes even = {0, 0}, odd = {0, 0};
	uint32_t word;
	uint64_t sum;

	for (; length >= 32; at += 32, to += 32, length -= 32) {
		sum_lanes a, b;

		memcpy(&a, at, 16);
		memcpy(&b, at + 16, 16);
		memcpy(to, &a, 16);
		memcpy(to + 16, &b, 16);
		even += (a & SUM_LOW_HALVES) + (b & SUM_LOW_HALVES);
		odd += (a >> 32) + (b >> 32);
	}
	even += odd;
	sum = even[0] + even[1];
	for (; length >= 4; at += 4, to += 4, length -= 4) {
		memcpy(&word, at, 4);
		memcpy(to, &word, 4);
		sum += word;
	}
	word = 0;
	memcpy(&word, at, length);
	memcpy(to, at, length);
	return sum + word;
}

/* Folds to 16 bits, in memory order, not complemented. */
static inline uint16_t sum_fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

#endif
