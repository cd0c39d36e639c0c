package h2

import (
	"cmp"
	"net/http"
	"time"

	"golang.org/x/net/http2/hpack"
	"golang.org/x/time/rate"
)

// limits bound what a client may cost. A connection that breaks them ends.
type limits struct {
	streams   int           // requests at the same time
	header    uint32        // bytes of a request's header, as RFC 9113 counts them
	greeting  time.Duration // for the client's preface and first settings
	idle      time.Duration // without a request; 0: for good
	writing   time.Duration // for the client to take what one write has
	lingering time.Duration // for the client to read why its connection ends
	calm      rate.Limit    // frames a second that ask for work and give none: pings, resets, …
	calmBurst int           // as many at once
}

// What the sides of a connection may send before they have to wait for the other.
const (
	frameMost   = 16 << 10 // bytes of a frame's payload, in both directions: what one TLS record takes
	defaultSize = 65535    // of a window, before anybody says otherwise
	receiveConn = 1 << 20  // bytes of bodies that wait for their handlers, of a connection
	receiveOne  = 1 << 20  // of a stream
	pieceMost   = 80 << 10 // bytes of frames that wait to be written: handlers that have more wait
	pushMost    = 64 << 10 // bytes of them that are written before more are made
	streamMost  = 4 << 10  // bytes besides, for each stream
	controlMost = 64 << 10 // bytes besides of what nobody can be made to wait with
	headerTable = 4 << 10  // bytes of header fields that are remembered, for each direction
	settingMost = 100      // settings in a frame
	usualFields = 10       // header fields of a request that MaxHeaderBytes does not count the overhead of
)

func newLimits(s *http.Server) limits {
	l := limits{
		streams:   250,
		greeting:  cmp.Or(s.ReadHeaderTimeout, s.ReadTimeout, 10*time.Second),
		idle:      cmp.Or(s.IdleTimeout, s.ReadTimeout),
		writing:   cmp.Or(s.WriteTimeout, 30*time.Second),
		lingering: 250 * time.Millisecond,
		calm:      1000,
	}
	if s.HTTP2 != nil {
		l.streams = cmp.Or(s.HTTP2.MaxConcurrentStreams, l.streams)
	}
	var overhead hpack.HeaderField
	l.header = uint32(cmp.Or(s.MaxHeaderBytes, http.DefaultMaxHeaderBytes)) + usualFields*overhead.Size()
	l.calmBurst = 4 * max(l.streams, 250) // a client that ends all its watches at once is calm
	return l
}
