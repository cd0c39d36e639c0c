package h2

// recent remembers the streams that ended last.
type recent struct {
	all [32]ended
	at  int
}

type ended struct {
	id uint32
	// cut says that this side ended it before the client had said all: what comes of it was on its way.
	cut bool
}

func (r *recent) add(e ended) {
	r.all[r.at] = e
	r.at = (r.at + 1) % len(r.all)
}

// find is false for a stream that ended long ago, or never was.
func (r *recent) find(id uint32) (ended, bool) {
	for _, e := range r.all {
		if e.id == id {
			return e, true
		}
	}
	return ended{}, false
}
