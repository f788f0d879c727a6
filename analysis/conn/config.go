// Package conn tracks connections the way Zeek 8 does: states, history letters,
// byte and packet counts, missed bytes and timeouts, in packet time. One Tracker
// belongs to one goroutine; its table is flat, pointer-free and reused, so that a
// packet of a known connection allocates nothing.
package conn

import (
	"net/netip"
	"time"
)

// Config holds what decides when a connection ends and how its record looks.
// Durations are packet time. The names in the comments are Zeek's options.
type Config struct {
	TCPInactivity   time.Duration // tcp_inactivity_timeout, once the handshake is over
	UDPInactivity   time.Duration // udp_inactivity_timeout, also TCP during the handshake
	ICMPInactivity  time.Duration // icmp_inactivity_timeout
	OtherInactivity time.Duration // unknown_ip_inactivity_timeout
	LoginInactivity time.Duration // Conn::default_port inactivity of 21, 22, 23 and 513/tcp
	DNSSession      time.Duration // dns_session_timeout: period of the check of DNS flows

	AttemptDelay time.Duration // tcp_attempt_delay: an unanswered SYN is an attempt
	SYNTimeout   time.Duration // tcp_SYN_timeout: first periodic check of a TCP connection
	SessionTimer time.Duration // tcp_session_timer: period of the further checks
	Linger       time.Duration // tcp_connection_linger: idle time a check asks for
	CloseDelay   time.Duration // tcp_close_delay: from a complete close to the record

	// StampClock counts idle times from the packets' own stamps, as Zeek does,
	// instead of their effective times: for captures whose records are taken as
	// they stand. It matters only where stamps go back inside a capture: there
	// the packets behind the clock are idle too long as soon as they are seen.
	StampClock bool

	// OpenInterval is how often connections are shown that are still open, from their
	// first packet on; 0: never. Deps.Open takes them.
	OpenInterval time.Duration

	// Memory bounds what a Tracker takes, in bytes; 0: nothing does. Where it is full,
	// connections end early, those that say least first, and reassembly is given up.
	Memory int64

	// Local are the networks that local_orig and local_resp are about.
	Local []netip.Prefix
	// VLAN and MAC put the link layer of a connection's first packet into its record
	// (policy/protocols/conn/vlan-logging and mac-logging of Zeek).
	VLAN, MAC bool
	// IgnoreChecksums takes packets with a wrong transport checksum as valid.
	IgnoreChecksums bool
	// UIDKey keys the hash that makes uids: the same key and packets give the same uids.
	UIDKey uint64
}

// DefaultConfig is what Zeek 8 does out of the box.
func DefaultConfig() Config {
	return Config{
		TCPInactivity:   5 * time.Minute,
		UDPInactivity:   time.Minute,
		ICMPInactivity:  time.Minute,
		OtherInactivity: time.Minute,
		LoginInactivity: time.Hour,
		DNSSession:      10 * time.Second,
		AttemptDelay:    5 * time.Second,
		SYNTimeout:      5 * time.Second,
		SessionTimer:    6 * time.Second,
		Linger:          5 * time.Second,
		CloseDelay:      5 * time.Second,
		Local:           privateNetworks(),
		UIDKey:          0x7063617064697230, // any fixed number: uids must not change between runs
	}
}
