/*
 * The longest frame of virtual devices, as it is.
 *
 * The drivers net_tap, net_af_packet and net_memif say 1,514 to 1,522 bytes, and ethdev then refuses any
 * larger MTU, while all three carry what their buffers hold: tap any frame, memif any in several
 * buffers, af_packet what its frames (framesz) take, which it checks itself when the MTU is set.
 * tools/build-native.mjs gives DPDK's function another name, so that the callers beside it in ethdev
 * ask this one.
 */
#include <string.h>

#include <rte_ethdev.h>

#define ETHERNET_MAX 1522

int dpdk_net_info_get(uint16_t port, struct rte_eth_dev_info *details);

int rte_eth_dev_info_get(uint16_t port, struct rte_eth_dev_info *details)
{
	static const char *const drivers[] = {"net_tap", "net_af_packet", "net_memif"};
	int error = dpdk_net_info_get(port, details);

	if (error != 0 || details->max_rx_pktlen > ETHERNET_MAX)
		return error;
	for (size_t i = 0; i < RTE_DIM(drivers); i++)
		if (strcmp(details->driver_name, drivers[i]) == 0)
			details->max_rx_pktlen = UINT16_MAX;
	return 0;
}
