package rest

import (
	"net/http"
	"time"
)

// watchWriteTime is how long a watch's client may take nothing of what there is for it. Whatever has happened since then
// is in memory for it alone.
const watchWriteTime = 30 * time.Second

// patient writes an answer piece by piece. Each piece has a time in which the client must make room for it; between
// them there is no hurry.
type patient struct {
	w       *recorder
	control *http.ResponseController
	time    time.Duration
}

func newPatient(w *recorder, d time.Duration) patient {
	return patient{w, http.NewResponseController(w.ResponseWriter), d}
}

// write sends p at once, and whatever has been held back.
func (p patient) write(piece []byte) error {
	_ = p.control.SetWriteDeadline(time.Now().Add(p.time)) // not every transport can
	if len(piece) > 0 {
		if _, err := p.w.Write(piece); err != nil {
			return err
		}
	}
	if err := p.control.Flush(); err != nil {
		return err
	}
	_ = p.control.SetWriteDeadline(time.Time{})
	return nil
}
