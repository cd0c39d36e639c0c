package h2

// recent remembers the streams that ended last: frames that were on their way to them are no offence.
type recent struct {
	ids [32]uint32
	at  int
}

func (r *recent) add(id uint32) {
	r.ids[r.at] = id
	r.at = (r.at + 1) % len(r.ids)
}

func (r *recent) has(id uint32) bool {
	for _, known := range r.ids {
		if known == id {
			return true
		}
	}
	return false
}
