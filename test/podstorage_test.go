package test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// mountAt gives a pod's containers a mount of a volume that it has, as a change makes it.
func mountAt(volume, path string, change func(*corev1.VolumeMount)) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		m := corev1.VolumeMount{Name: volume, MountPath: path}
		change(&m)
		for i := range p.Spec.Containers {
			p.Spec.Containers[i].VolumeMounts = append(p.Spec.Containers[i].VolumeMounts, m)
		}
	}
}

func hostVolume(path string, kind corev1.HostPathType) corev1.VolumeSource {
	return corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: path, Type: &kind}}
}

// TestMounts: how a volume is mounted: parts of it, read-only to any depth, and with what is mounted later on.
func TestMounts(t *testing.T) {
	t.Parallel()
	s := sharedSpace(t)

	t.Run("parts by the container's variables", func(t *testing.T) {
		part := mountAt("all", "/part", func(m *corev1.VolumeMount) { m.SubPathExpr = "of/$(WHO)" })
		variable := func(p *corev1.Pod) { p.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "WHO", Value: "me"}} }
		s.finished(t, s.tool(t, "expanded", "write /part/x mine then cat /all/of/me/x then stat /all/of", never, mount("all", emptyDir), part, variable))
		same(t, "the log", s.log(t, "expanded", "c"), "mine", "0777 0 0")
	})
	t.Run("a link out of the volume", func(t *testing.T) {
		dir := t.TempDir()
		must(t, os.Symlink("/etc", filepath.Join(dir, "out")))
		part := mountAt("host", "/part", func(m *corev1.VolumeMount) { m.SubPath = "out" })
		s.run(t, s.tool(t, "escaping", "cat /part/passwd", never, mount("host", hostVolume(dir, corev1.HostPathDirectory)), part))
		s.told(t, "escaping", `Failed: Error: failed to prepare subPath for volumeMount "host" of container "c"`)
	})
	t.Run("to any depth", func(t *testing.T) {
		dir := mounted(t)
		deep := func(mode corev1.RecursiveReadOnlyMode) func(*corev1.VolumeMount) {
			return func(m *corev1.VolumeMount) { m.ReadOnly, m.RecursiveReadOnly = true, &mode }
		}
		host := func(p *corev1.Pod) {
			p.Spec.Volumes = append(p.Spec.Volumes, corev1.Volume{Name: "host", VolumeSource: hostVolume(filepath.Dir(dir), corev1.HostPathDirectory)})
		}
		s.finished(t, s.tool(t, "shallow", "write /ro/inner/x written then cat /ro/inner/x then write /ro/x no", never, host, mountAt("host", "/ro", deep(corev1.RecursiveReadOnlyDisabled))))
		same(t, "the log", s.log(t, "shallow", "c"), "written", "tool: open /ro/x: read-only file system")
		for _, mode := range []corev1.RecursiveReadOnlyMode{corev1.RecursiveReadOnlyEnabled, corev1.RecursiveReadOnlyIfPossible} {
			name := "deep-" + strings.ToLower(string(mode))
			p := s.finished(t, s.tool(t, name, "cat /ro/inner/x then write /ro/inner/x no", never, host, mountAt("host", "/ro", deep(mode))))
			same(t, "the log", s.log(t, name, "c"), "written", "tool: open /ro/inner/x: read-only file system")
			if m := p.Status.ContainerStatuses[0].VolumeMounts; len(m) == 0 || m[0].RecursiveReadOnly == nil || *m[0].RecursiveReadOnly != corev1.RecursiveReadOnlyEnabled {
				t.Errorf("its status tells of mounts %v", m)
			}
			s.delete(t, name)
		}
		must(t, os.WriteFile(filepath.Join(dir, "still"), nil, 0o600))
	})
	t.Run("what the host mounts later", func(t *testing.T) {
		shared := mounted(t)
		must(t, unix.Mount("", shared, "", unix.MS_SHARED, ""))
		mode := func(p corev1.MountPropagationMode) func(*corev1.VolumeMount) {
			return func(m *corev1.VolumeMount) { m.MountPropagation = &p }
		}
		host := func(p *corev1.Pod) {
			p.Spec.Volumes = append(p.Spec.Volumes, corev1.Volume{Name: "host", VolumeSource: hostVolume(shared, corev1.HostPathDirectory)})
		}
		s.ready(t, s.tool(t, "follower", "stay", host, mountAt("host", "/follows", mode(corev1.MountPropagationHostToContainer)), mountAt("host", "/apart", mode(corev1.MountPropagationNone))))
		later := filepath.Join(shared, "later")
		must(t, os.Mkdir(later, 0o755))
		must(t, unix.Mount("tmpfs", later, "tmpfs", 0, ""))
		must(t, os.WriteFile(filepath.Join(later, "x"), []byte("there"), 0o600))
		if got := strings.TrimSpace(s.exec(t, "follower", "cat", "/follows/later/x")); got != "there" {
			t.Errorf("the container that follows sees %q", got)
		}
		if _, err := s.kubectl(t.Context(), "exec", "-n", s.namespace, "follower", "--", "/tool", "cat", "/apart/later/x").Output(); err == nil {
			t.Error("the container that does not follow sees it too")
		}
		s.delete(t, "follower")
		if _, err := os.Stat(filepath.Join(later, "x")); err != nil {
			t.Errorf("the host has lost its mount: %v", err)
		}
	})
}

// mounted is a file system of the host's own, which goes with the test.
func mounted(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "inner")
	must(t, os.Mkdir(dir, 0o755))
	must(t, unix.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"))
	t.Cleanup(func() {
		for unix.Unmount(dir, unix.MNT_DETACH) == nil {
			continue
		}
	})
	return dir
}

// TestHostPaths: paths of the host are what they are asked to be, or the pod waits and says why.
func TestHostPaths(t *testing.T) {
	t.Parallel()
	s := sharedSpace(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	must(t, os.WriteFile(file, []byte("content"), 0o644))
	for kind, words := range map[corev1.HostPathType]string{
		corev1.HostPathDirectory: "directory", corev1.HostPathSocket: "socket file", corev1.HostPathCharDev: "character device", corev1.HostPathBlockDev: "block device",
	} {
		name := "not-" + strings.ToLower(string(kind))
		s.run(t, s.tool(t, name, "stay", mount("host", hostVolume(file, kind))))
		s.told(t, name, fmt.Sprintf(`FailedMount: MountVolume.SetUp failed for volume "host" : hostPath type check failed: %s is not a %s`, file, words))
	}
	s.finished(t, s.tool(t, "files", "cat /file then write /made x then write /null x then stat /socket", never,
		mount("file", hostVolume(file, corev1.HostPathFile)), mount("made", hostVolume(filepath.Join(dir, "made"), corev1.HostPathFileOrCreate)),
		mount("null", hostVolume("/dev/null", corev1.HostPathCharDev)), mount("socket", hostVolume("/var/run/docker.sock", corev1.HostPathSocket))))
	if log := s.log(t, "files", "c"); !strings.HasPrefix(log, "content") || strings.Contains(log, "tool:") {
		t.Errorf("the log: %s", log)
	}
}

// TestMadeOfObjects: downward, projected and optional sources, and those that cannot be had.
func TestMadeOfObjects(t *testing.T) {
	t.Parallel()
	s := sharedSpace(t)

	t.Run("of the pod itself", func(t *testing.T) {
		field := func(path, field string) corev1.DownwardAPIVolumeFile {
			return corev1.DownwardAPIVolumeFile{Path: path, FieldRef: &corev1.ObjectFieldSelector{FieldPath: field}}
		}
		source := corev1.VolumeSource{DownwardAPI: &corev1.DownwardAPIVolumeSource{Items: []corev1.DownwardAPIVolumeFile{
			field("labels", "metadata.labels"), field("uid", "metadata.uid"),
			{Path: "cpu", ResourceFieldRef: &corev1.ResourceFieldSelector{ContainerName: "c", Resource: "limits.cpu", Divisor: resource.MustParse("1m")}},
		}}}
		limited := func(p *corev1.Pod) {
			p.Labels = map[string]string{"color": "red"}
			p.Spec.Containers[0].Resources.Limits = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("250m")}
		}
		p := s.ready(t, s.tool(t, "self", "stay", limited, mount("info", source)))
		same(t, "the files", s.exec(t, "self", "cat", "/info/labels", "/info/uid", "/info/cpu"), `color="red"`, string(p.UID), "250")
		s.mustKubectl(t, "label", "pod", "self", "-n", s.namespace, "color=blue", "--overwrite")
		eventually(t, "the new label in the file", func() bool { return strings.Contains(s.exec(t, "self", "cat", "/info/labels"), `color="blue"`) })
	})
	t.Run("of trust bundles", func(t *testing.T) {
		root := s.mustKubectl(t, "get", "configmap", "kube-root-ca.crt", "-n", s.namespace, "-o", `jsonpath={.data.ca\.crt}`)
		path := filepath.Join(t.TempDir(), "bundle.yaml")
		text := fmt.Sprintf("apiVersion: certificates.k8s.io/v1\nkind: ClusterTrustBundle\nmetadata: {name: %s}\nspec:\n  trustBundle: |\n    %s\n",
			s.namespace, strings.ReplaceAll(strings.TrimSpace(root), "\n", "\n    "))
		must(t, os.WriteFile(path, []byte(text), 0o600))
		source := corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{
			{ClusterTrustBundle: &corev1.ClusterTrustBundleProjection{Name: &s.namespace, Path: "ca.crt"}},
			{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{Path: "token", Audience: "vault"}},
		}}}
		s.run(t, s.tool(t, "trusts", "cat /trust/ca.crt then stat /trust/token", never, mount("trust", source)))
		s.told(t, "trusts", fmt.Sprintf(`FailedMount: MountVolume.SetUp failed for volume "trust" : while getting ClusterTrustBundle: clustertrustbundle.certificates.k8s.io %q not found`, s.namespace))
		s.mustKubectl(t, "create", "-f", path)
		t.Cleanup(func() { s.mustKubectl(t, "delete", "clustertrustbundle", s.namespace) })
		s.until(t, "trusts", "succeeded", func(p *corev1.Pod) bool { return p.Status.Phase == corev1.PodSucceeded })
		same(t, "the log", s.log(t, "trusts", "c"), append(strings.Split(strings.TrimSpace(root), "\n"), "0644 0 0")...)
	})
	t.Run("that may be missing", func(t *testing.T) {
		source := corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: localName("maybe"), Optional: ptr(true)}}
		s.ready(t, s.tool(t, "hopes", "stay", mount("maybe", source)))
		s.mustKubectl(t, "create", "configmap", "maybe", "-n", s.namespace, "--from-literal=key=come")
		eventually(t, "what has come", func() bool {
			out, err := s.kubectl(t.Context(), "exec", "-n", s.namespace, "hopes", "--", "/tool", "cat", "/maybe/key").Output()
			return err == nil && strings.TrimSpace(string(out)) == "come"
		})
	})
	t.Run("that no node here can have", func(t *testing.T) {
		for name, source := range map[string]corev1.VolumeSource{
			"nfs":   {NFS: &corev1.NFSVolumeSource{Server: "a", Path: "/"}},
			"iscsi": {ISCSI: &corev1.ISCSIVolumeSource{TargetPortal: "a", IQN: "iqn.2001-04.com.example:a", Lun: 1}},
			"csi":   {CSI: &corev1.CSIVolumeSource{Driver: "a"}},
		} {
			s.run(t, s.tool(t, name, "stay", mount("far", source)))
			s.told(t, name, "Unsupported: this node's agent does not support volume type "+name+" of volume far")
		}
	})
}

// TestClaims: storage that outlives pods: made for a claim when its pod comes, or brought along; the pod's group's; and
// gone with its claim.
func TestClaims(t *testing.T) {
	t.Parallel()
	s := sharedSpace(t)
	claims := s.client.CoreV1().PersistentVolumeClaims(s.namespace)
	spec := corev1.PersistentVolumeClaimSpec{
		AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
		Resources:   corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Mi")}},
	}
	claim := func(name string) corev1.VolumeSource {
		return corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: name}}
	}
	inGroup := func(p *corev1.Pod) {
		p.Spec.SecurityContext = &corev1.PodSecurityContext{FSGroup: ptr(int64(4321)), RunAsUser: ptr(int64(1000))}
	}

	t.Run("dynamic", func(t *testing.T) {
		_, err := claims.Create(t.Context(), &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Name: "data"}, Spec: spec}, metav1.CreateOptions{})
		must(t, err)
		s.finished(t, s.tool(t, "writes", "write /data/x kept then stat /data/x", never, inGroup, mount("data", claim("data"))))
		same(t, "the log", s.log(t, "writes", "c"), "0644 1000 4321")
		s.delete(t, "writes")
		s.finished(t, s.tool(t, "reads", "cat /data/x", never, mount("data", claim("data"))))
		same(t, "the log", s.log(t, "reads", "c"), "kept")
		bound, err := claims.Get(t.Context(), "data", metav1.GetOptions{})
		must(t, err)
		volume, err := s.client.CoreV1().PersistentVolumes().Get(t.Context(), bound.Spec.VolumeName, metav1.GetOptions{})
		must(t, err)
		if _, err := os.Stat(filepath.Join(volume.Spec.Local.Path, "x")); err != nil {
			t.Error(err)
		}
		s.delete(t, "reads")
		must(t, claims.Delete(t.Context(), "data", metav1.DeleteOptions{}))
		eventually(t, "the volume and its directory are gone", func() bool {
			_, err := s.client.CoreV1().PersistentVolumes().Get(t.Context(), volume.Name, metav1.GetOptions{})
			_, left := os.Stat(volume.Spec.Local.Path)
			return apierrors.IsNotFound(err) && os.IsNotExist(left)
		})
	})
	t.Run("ephemeral", func(t *testing.T) {
		source := corev1.VolumeSource{Ephemeral: &corev1.EphemeralVolumeSource{VolumeClaimTemplate: &corev1.PersistentVolumeClaimTemplate{Spec: spec}}}
		s.finished(t, s.tool(t, "brings", "write /own/x mine then cat /own/x", never, mount("own", source)))
		same(t, "the log", s.log(t, "brings", "c"), "mine")
		s.delete(t, "brings")
		eventually(t, "its claim is gone", func() bool {
			_, err := claims.Get(t.Context(), "brings-own", metav1.GetOptions{})
			return apierrors.IsNotFound(err)
		})
	})
	t.Run("local, kept", func(t *testing.T) {
		dir, class := t.TempDir(), s.namespace
		must(t, os.Chmod(dir, 0o777))
		volumes := s.client.CoreV1().PersistentVolumes()
		_, err := volumes.Create(t.Context(), &corev1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: s.namespace}, Spec: corev1.PersistentVolumeSpec{
			Capacity: spec.Resources.Requests, AccessModes: spec.AccessModes, StorageClassName: class,
			PersistentVolumeReclaimPolicy: corev1.PersistentVolumeReclaimRetain,
			PersistentVolumeSource:        corev1.PersistentVolumeSource{Local: &corev1.LocalVolumeSource{Path: dir}},
			NodeAffinity: &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
				MatchExpressions: []corev1.NodeSelectorRequirement{{Key: corev1.LabelHostname, Operator: corev1.NodeSelectorOpExists}}}}}},
		}}, metav1.CreateOptions{})
		must(t, err)
		t.Cleanup(func() { s.mustKubectl(t, "delete", "persistentvolume", s.namespace) })
		own := spec
		own.StorageClassName = &class
		_, err = claims.Create(t.Context(), &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Name: "local"}, Spec: own}, metav1.CreateOptions{})
		must(t, err)
		s.finished(t, s.tool(t, "local", "write /data/x here", never, mount("data", claim("local"))))
		s.delete(t, "local")
		must(t, claims.Delete(t.Context(), "local", metav1.DeleteOptions{}))
		eventually(t, "the volume is released", func() bool {
			v, err := volumes.Get(t.Context(), s.namespace, metav1.GetOptions{})
			return err == nil && v.Status.Phase == corev1.VolumeReleased
		})
		if content, err := os.ReadFile(filepath.Join(dir, "x")); err != nil || strings.TrimSpace(string(content)) != "here" {
			t.Errorf("what it held is %q, %v", content, err)
		}
	})
}

// loopDevice is a block device of the test's own.
func loopDevice(t *testing.T, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "disk")
	must(t, os.WriteFile(file, []byte(content), 0o600))
	must(t, os.Truncate(file, 1<<20))
	out, err := exec.Command("losetup", "--find", "--show", file).CombinedOutput()
	if err != nil {
		t.Skipf("no block device can be made: %v: %s", err, out)
	}
	device := strings.TrimSpace(string(out))
	t.Cleanup(func() { must(t, exec.Command("losetup", "--detach", device).Run()) })
	return device
}

// TestVolumeDevices: a container is given a local volume as the block device that it is, and may only read it where its
// claim says so; none can mount it.
func TestVolumeDevices(t *testing.T) {
	t.Parallel()
	s := sharedSpace(t)
	device, class, block := loopDevice(t, "raw\n"), s.namespace, corev1.PersistentVolumeBlock
	size := corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Mi")}
	modes := []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}
	_, err := s.client.CoreV1().PersistentVolumes().Create(t.Context(), &corev1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: s.namespace}, Spec: corev1.PersistentVolumeSpec{
		Capacity: size, AccessModes: modes, StorageClassName: class, VolumeMode: &block,
		PersistentVolumeReclaimPolicy: corev1.PersistentVolumeReclaimRetain,
		PersistentVolumeSource:        corev1.PersistentVolumeSource{Local: &corev1.LocalVolumeSource{Path: device}},
		NodeAffinity: &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
			MatchExpressions: []corev1.NodeSelectorRequirement{{Key: corev1.LabelHostname, Operator: corev1.NodeSelectorOpExists}}}}}},
	}}, metav1.CreateOptions{})
	must(t, err)
	t.Cleanup(func() { s.mustKubectl(t, "delete", "persistentvolume", s.namespace, "--wait=false") })
	_, err = s.client.CoreV1().PersistentVolumeClaims(s.namespace).Create(t.Context(), &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Name: "raw"},
		Spec: corev1.PersistentVolumeClaimSpec{AccessModes: modes, StorageClassName: &class, VolumeMode: &block, Resources: corev1.VolumeResourceRequirements{Requests: size}}}, metav1.CreateOptions{})
	must(t, err)
	given := func(readOnly bool) func(*corev1.Pod) {
		return func(p *corev1.Pod) {
			p.Spec.Volumes = []corev1.Volume{{Name: "raw", VolumeSource: corev1.VolumeSource{
				PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "raw", ReadOnly: readOnly}}}}
			p.Spec.Containers[0].VolumeDevices = []corev1.VolumeDevice{{Name: "raw", DevicePath: "/dev/data"}}
		}
	}
	s.finished(t, s.tool(t, "writes", "write /dev/data new", never, given(false)))
	s.delete(t, "writes")
	content, err := os.ReadFile(device)
	must(t, err)
	if !strings.HasPrefix(string(content), "new") {
		t.Errorf("the device begins with %q", content[:8])
	}
	s.finished(t, s.tool(t, "reads", "write /dev/data x", never, given(true)))
	contains(t, "the log", s.log(t, "reads", "c"), "tool: open /dev/data: operation not permitted")
	s.delete(t, "reads")
	s.run(t, s.tool(t, "mounts", "stay", mount("raw", corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "raw"}})))
	s.told(t, "mounts", "volume raw has volumeMode Block, but is specified in volumeMounts")
}
