package rest

import (
	"strconv"
	"time"
)

const (
	minute = 60 // seconds
	hour   = 60 * minute
	day    = 24 * hour
	year   = 365 * day
)

// scales is how a duration is written, the first line whose limit it is under: in units of the first size and, where
// there is a second one and it is not zero, the rest in that. It gives the text of apimachinery's duration.HumanDuration
// without making a string.
var scales = []struct {
	under    int64 // seconds
	unit     int64
	name     byte
	rest     int64
	restName byte
}{
	{2 * minute, 1, 's', 0, 0},
	{10 * minute, minute, 'm', 1, 's'},
	{3 * hour, minute, 'm', 0, 0},
	{8 * hour, hour, 'h', minute, 'm'},
	{2 * day, hour, 'h', 0, 0},
	{8 * day, day, 'd', hour, 'h'},
	{2 * year, day, 'd', 0, 0},
	{8 * year, year, 'y', day, 'd'},
}

func appendDuration(dst []byte, d time.Duration) []byte {
	seconds := int64(d / time.Second)
	if seconds < -1 {
		return append(dst, "<invalid>"...)
	}
	if seconds < 0 {
		return append(dst, "0s"...)
	}
	for _, s := range scales {
		if seconds >= s.under {
			continue
		}
		dst = append(strconv.AppendInt(dst, seconds/s.unit, 10), s.name)
		if s.rest > 0 && seconds%s.unit/s.rest > 0 {
			dst = append(strconv.AppendInt(dst, seconds%s.unit/s.rest, 10), s.restName)
		}
		return dst
	}
	return append(strconv.AppendInt(dst, seconds/year, 10), 'y')
}
