package rest

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"

	"leme/server/audit"
	"leme/server/auth"
)

// audit records a request and what comes of it, as far as the policy wants that. Without a log it is not there at all.
func (h *Handler) audit(next http.Handler) http.Handler {
	if h.auditLog == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := of(r)
		c.audit = h.newRecord(c)
		defer func() {
			if v := recover(); v != nil {
				c.audit.panicked(v)
				panic(v)
			}
		}()
		c.audit.stage(auditv1.StageRequestReceived)
		if h.lasts(c) {
			c.w.onHeader = func() { c.audit.answered(auditv1.StageResponseStarted) }
		}
		next.ServeHTTP(w, r)
		c.audit.answered(auditv1.StageResponseComplete)
	})
}

// unknown records a request whose credentials are not good.
func (h *Handler) unknown(c *call) {
	if h.auditLog == nil {
		return
	}
	c.audit = h.newRecord(c)
	c.audit.answered(auditv1.StageResponseStarted)
}

// record is what becomes an audit event, stage by stage. Its methods do nothing where nothing is recorded (nil).
type record struct {
	log   *audit.Log
	call  *call
	rule  audit.Rule
	entry audit.Entry
}

const maxUserAgent = 1024 // bytes

// newRecord is nil where the policy has nothing recorded.
func (h *Handler) newRecord(c *call) *record {
	a := c.info.attributes(c.query)
	rule := h.auditLog.Rule(c.user, a)
	if rule.Level == auditv1.LevelNone {
		return nil
	}
	event := auditv1.Event{
		Level: rule.Level, AuditID: types.UID(c.id), RequestURI: c.r.RequestURI, Verb: a.Verb,
		User: userInfo(c.user), UserAgent: c.r.UserAgent(), RequestReceivedTimestamp: metav1.NewMicroTime(c.arrived),
	}
	if len(event.UserAgent) > maxUserAgent {
		event.UserAgent = event.UserAgent[:maxUserAgent] + "...TRUNCATED"
	}
	for _, ip := range utilnet.SourceIPs(c.r) {
		event.SourceIPs = append(event.SourceIPs, ip.String())
	}
	if a.Resource != "" {
		event.ObjectRef = &auditv1.ObjectReference{
			Resource: a.Resource, Namespace: a.Namespace, Name: a.Name, APIGroup: a.Group, APIVersion: c.info.Version, Subresource: a.Subresource,
		}
	}
	return &record{log: h.auditLog, call: c, rule: rule, entry: audit.Entry{Event: event, OmitManagedFields: rule.OmitManagedFields}}
}

func userInfo(u auth.User) authenticationv1.UserInfo {
	return authenticationv1.UserInfo{Username: u.Name, UID: u.UID, Groups: u.Groups, Extra: extraValues(u.Extra)}
}

// stage hands on what is known by now.
func (a *record) stage(stage auditv1.Stage) {
	if a == nil || slices.Contains(a.rule.OmitStages, stage) {
		return
	}
	e := a.entry
	e.Stage, e.StageTimestamp = stage, metav1.NewMicroTime(time.Now())
	e.Annotations = maps.Clone(e.Annotations)
	if e.ObjectRef != nil {
		ref := *e.ObjectRef
		e.ObjectRef = &ref
	}
	a.log.Record(e)
}

// answered hands on what the answer was.
func (a *record) answered(stage auditv1.Stage) {
	if a == nil {
		return
	}
	status := metav1.Status{Code: int32(a.call.w.status)}
	if a.call.failure != nil {
		status = *a.call.failure
		status.TypeMeta = metav1.TypeMeta{}
	}
	a.entry.ResponseStatus = &status
	switch a.call.w.status {
	case http.StatusBadRequest, http.StatusUnsupportedMediaType:
		a.entry.Request = nil // it may be no object at all
	}
	a.stage(stage)
}

func (a *record) panicked(v any) {
	if a == nil {
		return
	}
	a.entry.ResponseStatus = &metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusInternalServerError, Reason: metav1.StatusReasonInternalError,
		Message: fmt.Sprintf("APIServer panic'd: %v", v),
	}
	a.stage(auditv1.StagePanic)
}

// annotate adds what a step has decided. The first to use a key has it.
func (a *record) annotate(key, value string) {
	if a == nil {
		return
	}
	if a.entry.Annotations == nil {
		a.entry.Annotations = map[string]string{}
	}
	if _, taken := a.entry.Annotations[key]; !taken {
		a.entry.Annotations[key] = value
	}
}

func (a *record) decision(allowed bool, reason string) {
	decision := "forbid"
	if allowed {
		decision = "allow"
	}
	a.annotate("authorization.k8s.io/decision", decision)
	a.annotate("authorization.k8s.io/reason", reason)
}

func (a *record) impersonated(as auth.User) {
	if a != nil {
		user := userInfo(as)
		a.entry.ImpersonatedUser = &user
	}
}

// names completes the reference to an object that only the body names.
func (a *record) names(m metav1.Object) {
	if a == nil || a.entry.ObjectRef == nil {
		return
	}
	ref := a.entry.ObjectRef
	if ref.Name == "" {
		ref.Name = m.GetName()
	}
	if ref.Namespace == "" {
		ref.Namespace = m.GetNamespace()
	}
	if ref.UID == "" {
		ref.UID = m.GetUID()
	}
	if ref.ResourceVersion == "" {
		ref.ResourceVersion = m.GetResourceVersion()
	}
}

// request keeps the body, which nobody changes any more.
func (a *record) request(body []byte) {
	if a != nil && a.rule.AtLeast(auditv1.LevelRequest) {
		a.entry.Request = body
	}
}

// wantsResponse says whether response is to be called.
func (a *record) wantsResponse() bool {
	return a != nil && a.rule.AtLeast(auditv1.LevelRequestResponse)
}

// response keeps an answer's object as JSON, which nobody changes any more.
func (a *record) response(object []byte) {
	if a.wantsResponse() {
		a.entry.Response = object
	}
}
