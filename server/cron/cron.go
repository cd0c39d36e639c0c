// Package cron reads the schedules of CronJobs: five fields, or names like @daily and @every 1h.
package cron

import (
	"fmt"

	"github.com/robfig/cron/v3"
	// The time zones' rules are in the binary: machines without them know as many zones as others.
	_ "time/tzdata"
)

// Schedule tells when something is due next.
type Schedule = cron.Schedule

// Parse reads a schedule. What makes the parser panic is an error too.
func Parse(text string) (s Schedule, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			s, err = nil, fmt.Errorf("invalid schedule format: %v", cause)
		}
	}()
	return cron.ParseStandard(text)
}
