package pipeline_test

import (
	"maps"
	"testing"
	"time"

	"pcapdir/daemon/config"
	"pcapdir/daemon/pipeline"
	"pcapdir/source/dpd/dpdtest"
	"pcapdir/source/packet"
)

// transfers are connections of FTP: before anything is announced, while it is, to other
// ports, from the other side, and too late. control is how many records of them come
// before the first connection that was announced.
func transfers() (all capture, control int, want map[uint16]string) {
	k := talk{now: packet.Time(1_780_000_000e9), port: 20000}
	want = map[uint16]string{}
	say := func(port uint16, service string, turns ...dpdtest.Turn) {
		k.port++
		k.say(&dpdtest.Conversation{Port: port, Turns: turns})
		want[k.port] = service
	}
	say(1025, "")
	say(21, "ftp", dpdtest.From("220 hello\r\n"), dpdtest.To("PASV\r\n"), dpdtest.From("227 Entering Passive Mode (10,0,0,2,4,1).\r\n"),
		dpdtest.To("EPSV\r\n"), dpdtest.From("229 Entering Extended Passive Mode (|||1026|)\r\n"), dpdtest.To("PORT 10,0,0,1,4,3\r\n"),
		dpdtest.From("227 elsewhere (10,0,0,3,4,4)\r\n"))
	control = len(k.c.recs)
	say(1025, "ftp-data")
	say(1026, "ftp-data")
	say(1026, "ftp-data") // once more
	say(1027, "")         // the client's
	say(1028, "")         // another host's
	k.reversed = true
	say(1027, "ftp-data")
	say(1025, "")
	k.reversed = false
	k.now = k.now.Add(6 * time.Minute)
	say(1025, "")
	return k.c, control, want
}

// Data of FTP is known as such on whatever shards the two connections are, and where a
// file ends between them.
func TestFTPData(t *testing.T) {
	c, control, want := transfers()
	for _, hash := range []config.Hash{config.Hash2Tuple, config.Hash4Tuple, config.Hash5Tuple} {
		for _, shards := range []int{1, 7} {
			for _, at := range []int{len(c.recs), control} {
				j := newJob(t)
				j.cfg.Shards.Hash, j.cfg.Shards.Count = hash, shards
				paths := []string{capture{"first", c.recs[:at]}.write(t, t.TempDir(), "b")}
				if at < len(c.recs) {
					paths = append(paths, capture{"second", c.recs[at:]}.write(t, t.TempDir(), "a"))
				}
				if got := servicesOf(t, j.read(t, paths...).logs["conn"]); !maps.Equal(got, want) {
					t.Errorf("%s, %d shards, cut at %d: services %v, want %v", hash, shards, at, got, want)
				}
			}
		}
	}
}

// What was announced outlives a restart.
func TestFTPDataAfterARestart(t *testing.T) {
	c, control, want := transfers()
	cfg := site(newRoot(t))
	cfg.Shards.Hash, cfg.Shards.Count = config.Hash4Tuple, 3
	life := func(name string, part capture, flush bool) {
		d := startAs(t, pipeline.Options{Config: cfg, Flush: flush})
		d.mv(t, name, formOf(part).encode(t, part))
		d.fate(t, name)
		d.quit(t)
	}
	life("a", capture{"first", c.recs[:control]}, false)
	cfg.Shards.Count = 2
	life("b", capture{"second", c.recs[control:]}, true)
	if got := servicesOf(t, readLogs(t, cfg.Logs.Dir)["conn"]); !maps.Equal(got, want) {
		t.Errorf("services %v, want %v", got, want)
	}
}
