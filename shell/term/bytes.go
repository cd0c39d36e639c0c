package term

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

// next reads a single byte from the terminal, so that what follows a line is left to the command that it runs. A
// negative time waits until a byte comes or the parser is woken.
func (p *Parser) next(within time.Duration) (byte, bool) {
	wait := -1
	if within >= 0 {
		wait = int(within.Milliseconds())
	}
	fds := []unix.PollFd{{Fd: int32(p.in.Fd()), Events: unix.POLLIN}, {Fd: int32(p.waker[0]), Events: unix.POLLIN}}
	if wait >= 0 {
		fds = fds[:1] // in the middle of a key
	}
	for {
		n, err := unix.Poll(fds, wait)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil || n == 0 {
			return 0, false
		}
		break
	}
	if len(fds) > 1 && fds[1].Revents != 0 {
		var drained [64]byte
		_, _ = unix.Read(p.waker[0], drained[:])
		return 0, false
	}
	var b [1]byte
	n, err := unix.Read(int(p.in.Fd()), b[:])
	if n == 0 || err != nil {
		p.hangUp()
		return 0, false
	}
	return b[0], true
}

// hangUp ends the line when the terminal is gone.
func (p *Parser) hangUp() {
	p.mu.Lock()
	p.leave, p.gone = true, true
	p.mu.Unlock()
}
