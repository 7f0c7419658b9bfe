/*
 * What changed between DPDK 22.11 and 25.11, in one place.
 *
 * The addon is written against the names of 22.11; here they are mapped for later releases, and
 * releases that are too old are refused.
 */
#ifndef DPDK_NET_COMPAT_H
#define DPDK_NET_COMPAT_H

#include <rte_version.h>

#if RTE_VERSION < RTE_VERSION_NUM(22, 11, 0, 0)
#error "dpdk-net needs DPDK 22.11 or newer"
#endif

/* 24.11 made the version of the ethdev link text and statistics structures opaque in places; the */
/* calls used here (link_get_nowait, stats_get, xstats_*) kept their form in all releases. */

/* From 25.03 on the mbuf's timestamp-less layout is 128 bytes as before; assert it where used. */
#define MBUF_BYTES sizeof(struct rte_mbuf)

/* 22.11 allows ten RSS functions that later releases extend; ask only for what all have. */
#define RSS_FUNCTIONS \
	(RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_FRAG_IPV4 | RTE_ETH_RSS_NONFRAG_IPV4_TCP | \
	 RTE_ETH_RSS_NONFRAG_IPV4_UDP | RTE_ETH_RSS_IPV6 | RTE_ETH_RSS_FRAG_IPV6 | \
	 RTE_ETH_RSS_NONFRAG_IPV6_TCP | RTE_ETH_RSS_NONFRAG_IPV6_UDP)

#endif
