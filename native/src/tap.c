/*
 * When a tap device starts, a primary process sends its descriptors to secondary ones: a receive
 * and a transmit descriptor for each queue, in a message that has room for eight. With more than
 * four queues DPDK 22.11 writes behind it ("stack smashing detected"). We have no secondary
 * processes, so the driver, which is linked against the function below instead of DPDK's own
 * (tools/build-native.mjs), does not hear that it is in a primary one while it starts.
 */
#include <rte_eal.h>

#include "tap.h"

enum rte_proc_type_t dpdk_net_eal_process_type(void);

static __thread bool is_starting;

void tap_starts(bool starts)
{
	is_starting = starts;
}

enum rte_proc_type_t dpdk_net_eal_process_type(void)
{
	return is_starting ? RTE_PROC_SECONDARY : rte_eal_process_type();
}
