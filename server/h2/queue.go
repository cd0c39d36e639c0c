package h2

// outgoing is what a connection has to say.
type outgoing struct {
	out      output
	flushing bool   // somebody writes, or is about to
	window   window // what the client takes of all streams
	frame    int    // bytes of a frame's payload that it takes
	next     *stream
	back     *stream // the end of the queue that begins with next
	first    int64   // window of a stream that begins
}

// enqueue lets a stream take its turn. A stream that the client takes nothing of has none: its window's growth brings
// it back.
func (c *conn) enqueue(st *stream) {
	if st.queued || !st.waits() || st.window <= 0 && len(st.pending) > 0 {
		return
	}
	st.queued = true
	if c.next == nil {
		c.next = st
	} else {
		c.back.behind = st
	}
	c.back = st
}

func (c *conn) dequeue() *stream {
	st := c.next
	c.next, st.behind, st.queued = st.behind, nil, false
	return st
}

// most is how many bytes may wait to be written: a piece, and a little of every stream, so that an event for all of them
// keeps no handler waiting.
func (c *conn) most() int { return pieceMost + streamMost*len(c.streams) }

// fill moves what streams wait with into the output, a frame of each in turn, as far as windows and room allow.
func (c *conn) fill() {
	for c.next != nil && c.out.size < c.most() && (c.window > 0 || len(c.next.pending) == 0) {
		st := c.dequeue()
		if !st.waits() {
			continue // it has been dropped meanwhile
		}
		n := min(len(st.pending), c.frame, max(0, int(min(c.window, st.window))))
		if n == 0 && len(st.pending) > 0 {
			continue // its window has shrunk
		}
		end := st.ending && n == len(st.pending)
		c.put(st, st.pending[:n], end)
		st.pending = st.pending[n:]
		if end {
			st.ending = false
			c.endedHere(st)
		}
		if st.waits() {
			c.enqueue(st)
		} else {
			st.wake.Broadcast()
		}
	}
}

// put puts a frame into the output, and takes it from the windows.
func (c *conn) put(st *stream, payload []byte, end bool) {
	c.out.data(st.id, payload, end)
	c.window -= window(len(payload))
	st.window -= window(len(payload))
}
