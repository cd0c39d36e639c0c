package main

import (
	"errors"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// burn keeps a processor busy for as long as a file is there, until SIGTERM.
func burn(args []string) error {
	if len(args) != 1 {
		return errors.New("burn takes the name of a file")
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	spin := make(chan time.Time) // always ready while it is busy
	close(spin)
	for busy := (chan time.Time)(nil); ; {
		select {
		case <-signals:
			return nil
		case <-look.C:
			busy = nil
			if _, err := os.Stat(args[0]); err == nil {
				busy = spin
			}
		case <-busy:
		}
	}
}
