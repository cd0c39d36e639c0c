package h2

import "golang.org/x/net/http2"

// onSettings does what the client sets, in its order, and says so.
func (c *conn) onSettings(f *http2.SettingsFrame) error {
	if f.IsAck() {
		return nil
	}
	if f.NumSettings() > settingMost {
		return http2.ConnectionError(http2.ErrCodeEnhanceYourCalm)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := f.ForeachSetting(c.set); err != nil {
		return err
	}
	c.say(c.frames.WriteSettingsAck())
	c.fill()
	c.flush(nil)
	return nil
}

func (c *conn) set(s http2.Setting) error {
	if err := s.Valid(); err != nil {
		return err
	}
	switch s.ID {
	case http2.SettingHeaderTableSize:
		c.header.fields.SetMaxDynamicTableSize(s.Val)
	case http2.SettingMaxFrameSize:
		c.frame = min(frameMost, int(s.Val))
	case http2.SettingInitialWindowSize:
		more := int64(s.Val) - c.first
		c.first = int64(s.Val)
		for _, st := range c.streams {
			if !st.window.grow(more) {
				return http2.ConnectionError(http2.ErrCodeFlowControl)
			}
			c.enqueue(st)
		}
	}
	return nil
}

func (c *conn) onPing(f *http2.PingFrame) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !f.IsAck() {
		c.say(c.frames.WritePing(true, f.Data))
		return
	}
	if f.Data == farewell {
		c.leaveTaking()
	}
}

// say ends a write to the output. What nobody can be made to wait with is bounded all the same: a client that asks and
// never reads loses its connection. c.mu is held.
func (c *conn) say(err error) {
	if err == nil && c.out.size > c.most()+controlMost {
		err = errFlood
	}
	if err != nil {
		c.fail(err)
		return
	}
	c.flush(nil)
}

func (c *conn) sayWindow(stream, increment uint32) {
	if increment > 0 {
		c.say(c.frames.WriteWindowUpdate(stream, increment))
	}
}
