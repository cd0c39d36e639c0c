package rest

import (
	"slices"

	"leme/server/auth"
)

// limits are the places for requests in flight.
type limits struct {
	reads, writes chan struct{}
}

func newLimits(reads, writes int) limits {
	return limits{reads: make(chan struct{}, reads), writes: make(chan struct{}, writes)}
}

// enter takes a place without waiting; leave gives it back. ok is false when there is none.
func (l limits) enter(c *call) (leave func(), ok bool) {
	if slices.Contains(c.user.Groups, auth.GroupMasters) || slices.Contains(c.user.Groups, auth.GroupServers) {
		return func() {}, true
	}
	places := l.writes
	if isRead(c.info.Verb) {
		places = l.reads
	}
	select {
	case places <- struct{}{}:
		return func() { <-places }, true
	default:
		return nil, false
	}
}

func isRead(verb string) bool {
	return verb == "get" || verb == "list" || verb == "watch"
}
