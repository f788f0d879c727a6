package consumers

import (
	"encoding/json"
	"maps"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"pcapdir/analysis/logs"
)

// mapper makes a document of a line.
type mapper func(line string) (map[string]any, error)

// mappers are the mappings of a log, by name.
func mappers(t *testing.T, log string) map[string]mapper {
	t.Helper()
	vector := func(file string) mapper {
		program := transform(t, file, log)
		return func(line string) (map[string]any, error) { return runVRL(program, map[string]any{"message": line}) }
	}
	return map[string]mapper{
		"vector.yaml":      vector("vector.yaml"),
		"vector-ocsf.yaml": vector("vector-ocsf.yaml"),
		"logstash.conf":    logstashMapper(t, log),
	}
}

// A connection with every field, and an alert with every field that it may have.
const (
	workedConn = `{"ts":1795238616.006069,"uid":"CHmCx38ighDHAm1uo","id.orig_h":"10.77.2.9","id.orig_p":45380,"id.resp_h":"2001:db8::80","id.resp_p":80,` +
		`"proto":"tcp","service":"http,ssl","duration":0.09437704086303711,"orig_bytes":70,"resp_bytes":1300,"conn_state":"SF","local_orig":true,"local_resp":false,` +
		`"missed_bytes":7,"history":"ShADadFf","orig_pkts":5,"orig_ip_bytes":342,"resp_pkts":4,"resp_ip_bytes":1516,"tunnel_parents":["C1W7bNAqY06YwsYGXs"],` +
		`"ip_proto":6,"community_id":"1:EMpg35mTYNPS68QodOxjjd193QY=","vlan":12,"inner_vlan":13,"orig_l2_addr":"02:00:00:00:00:01","resp_l2_addr":"02:00:00:00:00:02",` +
		`"late_pkts":1,"evicted":true,"catchup":true}`
	workedAnomaly = `{"ts":1795239300.0,"window":300.0,"complete":true,"rank":1,"label":"anomalous","actor":"203.0.113.6","id.orig_h":"203.0.113.6","id.resp_h":"10.77.2.80",` +
		`"id.resp_p":80,"proto":"tcp","service":"tcp/80","score":4.5,"score_p":0.4,"cluster":29,"cluster_size":1,"cluster_share":0.003,"k":35,"x":0.1,"y":2.5,` +
		`"first":1795239251.62455,"last":1795239268.364738,"orig_pkts":1000,"orig_bytes":118980,"resp_pkts":920,"resp_bytes":294560,"siblings":2,"uids":["CpiYEhTEmI4iiNmgt"],` +
		`"msg":"40 connections (usually 1.3)","why":[{"feature":"s_flows","value":40.0,"typical":5.8,"median":1.3,"z":2.2,"pct":10.1}],"model":"54a8711c","baseline":"ok"}`
)

// worked are documents that were worked out by hand from the two lines.
var worked = map[string]map[string]string{
	"conn": {
		"vector.yaml": `{"@timestamp":"2026-11-21T05:23:36.006069Z",
			"event":{"module":"zeek","dataset":"zeek.connection","kind":"event","category":["network"],"id":"CHmCx38ighDHAm1uo","duration":94377041},
			"source":{"ip":"10.77.2.9","address":"10.77.2.9","port":45380,"packets":5,"bytes":342},
			"destination":{"ip":"2001:db8::80","address":"2001:db8::80","port":80,"packets":4,"bytes":1516},
			"network":{"transport":"tcp","protocol":"http,ssl","iana_number":6,"community_id":"1:EMpg35mTYNPS68QodOxjjd193QY=","bytes":1858,"packets":9},
			"zeek":{"session_id":"CHmCx38ighDHAm1uo","connection":{"state":"SF","history":"ShADadFf","missed_bytes":7,"orig_bytes":70,"resp_bytes":1300,
				"local_orig":true,"local_resp":false,"tunnel_parents":["C1W7bNAqY06YwsYGXs"],"vlan":12,"inner_vlan":13,
				"orig_l2_addr":"02:00:00:00:00:01","resp_l2_addr":"02:00:00:00:00:02","late_pkts":1,"evicted":true,"catchup":true}}}`,
		"logstash.conf": `{"@timestamp":1795238616006,
			"event":{"module":"zeek","dataset":"zeek.connection","kind":"event","category":"network","id":"CHmCx38ighDHAm1uo"},
			"source":{"ip":"10.77.2.9","address":"10.77.2.9","port":45380,"packets":5,"bytes":342},
			"destination":{"ip":"2001:db8::80","address":"2001:db8::80","port":80,"packets":4,"bytes":1516},
			"network":{"transport":"tcp","protocol":"http,ssl","iana_number":6,"community_id":"1:EMpg35mTYNPS68QodOxjjd193QY="},
			"zeek":{"session_id":"CHmCx38ighDHAm1uo","connection":{"ts":1795238616.006069,"duration":0.09437704086303711,
				"state":"SF","history":"ShADadFf","missed_bytes":7,"orig_bytes":70,"resp_bytes":1300,
				"local_orig":true,"local_resp":false,"tunnel_parents":["C1W7bNAqY06YwsYGXs"],"vlan":12,"inner_vlan":13,
				"orig_l2_addr":"02:00:00:00:00:01","resp_l2_addr":"02:00:00:00:00:02","late_pkts":1,"evicted":true,"catchup":true}}}`,
		"vector-ocsf.yaml": `{"category_uid":4,"class_uid":4001,"activity_id":2,"type_uid":400102,"severity_id":1,
			"metadata":{"version":"1.9.0","product":{"name":"pcapdir","vendor_name":"pcapdir"},"log_name":"conn"},
			"time":1795238616006,"start_time":1795238616006,"end_time":1795238616100,"duration":94,
			"src_endpoint":{"ip":"10.77.2.9","port":45380,"mac":"02:00:00:00:00:01"},"dst_endpoint":{"ip":"2001:db8::80","port":80,"mac":"02:00:00:00:00:02"},
			"connection_info":{"uid":"CHmCx38ighDHAm1uo","protocol_name":"tcp","protocol_num":6,"direction_id":2,"flag_history":"ShADadFf",
				"community_uid":"1:EMpg35mTYNPS68QodOxjjd193QY="},
			"traffic":{"bytes_out":342,"bytes_in":1516,"bytes":1858,"packets_out":5,"packets_in":4,"packets":9,"bytes_missed":7},
			"app_name":"http,ssl","status_detail":"SF",
			"unmapped":{"duration":0.09437704086303711,"orig_bytes":70,"resp_bytes":1300,"local_orig":true,"local_resp":false,
				"tunnel_parents":["C1W7bNAqY06YwsYGXs"],"vlan":12,"inner_vlan":13,"late_pkts":1,"evicted":true,"catchup":true}}`,
	},
	"anomaly": {
		"vector.yaml": `{"@timestamp":"2026-11-21T05:35:00Z","event":{"module":"pcapdir","dataset":"pcapdir.anomaly","kind":"alert","category":["network"],"risk_score":4.5},
			"message":"40 connections (usually 1.3)","source":{"ip":"203.0.113.6"},"destination":{"ip":"10.77.2.80","port":80},"network":{"transport":"tcp"},
			"pcapdir":{"window":300.0,"complete":true,"rank":1,"label":"anomalous","actor":"203.0.113.6","service":"tcp/80","score_p":0.4,"cluster":29,"cluster_size":1,
				"cluster_share":0.003,"k":35,"x":0.1,"y":2.5,"first":1795239251.62455,"last":1795239268.364738,"orig_pkts":1000,"orig_bytes":118980,"resp_pkts":920,
				"resp_bytes":294560,"siblings":2,"uids":["CpiYEhTEmI4iiNmgt"],
				"why":[{"feature":"s_flows","value":40.0,"typical":5.8,"median":1.3,"z":2.2,"pct":10.1}],"model":"54a8711c","baseline":"ok"}}`,
		"logstash.conf": `{"@timestamp":1795239300000,"event":{"module":"pcapdir","dataset":"pcapdir.anomaly","kind":"alert","category":"network","risk_score":4.5},
			"message":"40 connections (usually 1.3)","source":{"ip":"203.0.113.6"},"destination":{"ip":"10.77.2.80","port":80},"network":{"transport":"tcp"},
			"pcapdir":{"ts":1795239300.0,"window":300.0,"complete":true,"rank":1,"label":"anomalous","actor":"203.0.113.6","service":"tcp/80","score_p":0.4,"cluster":29,"cluster_size":1,
				"cluster_share":0.003,"k":35,"x":0.1,"y":2.5,"first":1795239251.62455,"last":1795239268.364738,"orig_pkts":1000,"orig_bytes":118980,"resp_pkts":920,
				"resp_bytes":294560,"siblings":2,"uids":["CpiYEhTEmI4iiNmgt"],
				"why":[{"feature":"s_flows","value":40.0,"typical":5.8,"median":1.3,"z":2.2,"pct":10.1}],"model":"54a8711c","baseline":"ok"}}`,
		"vector-ocsf.yaml": `{"category_uid":2,"class_uid":2004,"activity_id":1,"type_uid":200401,"severity_id":3,"is_alert":true,
			"metadata":{"version":"1.9.0","product":{"name":"pcapdir","vendor_name":"pcapdir"},"log_name":"anomaly"},
			"time":1795239300000,"start_time":1795239251625,"end_time":1795239268365,"message":"40 connections (usually 1.3)",
			"finding_info":{"uid":"203.0.113.6 203.0.113.6 10.77.2.80 tcp/80 300 1795239300000","title":"unusual traffic: 203.0.113.6 tcp/80","created_time":1795239300000,
				"analytic":{"name":"pcapdir k-means","type_id":3,"version":"54a8711c"}},
			"evidences":[{"src_endpoint":{"ip":"203.0.113.6"},"dst_endpoint":{"ip":"10.77.2.80","port":80},"connection_info":{"protocol_name":"tcp","direction_id":0}}],
			"unmapped":{"window":300.0,"complete":true,"rank":1,"label":"anomalous","actor":"203.0.113.6","service":"tcp/80","score":4.5,"score_p":0.4,"cluster":29,"cluster_size":1,
				"cluster_share":0.003,"k":35,"x":0.1,"y":2.5,"first":1795239251.62455,"last":1795239268.364738,"orig_pkts":1000,"orig_bytes":118980,"resp_pkts":920,
				"resp_bytes":294560,"siblings":2,"uids":["CpiYEhTEmI4iiNmgt"],
				"why":[{"feature":"s_flows","value":40.0,"typical":5.8,"median":1.3,"z":2.2,"pct":10.1}],"baseline":"ok"}}`,
	},
}

// A mapping that names a field which no log has would be silently empty.
func TestFieldsOfTheMapping(t *testing.T) {
	for log, variable := range map[string]string{"conn": "z", "anomaly": "a"} {
		page := read(t, "../../analysis/logs/doc/"+log+".md")
		target := map[string]string{"conn": `\[zeek\]\[connection\]`, "anomaly": `\[pcapdir\]`}[log]
		vrl := regexp.MustCompile(`\b` + variable + `\.("[a-z_.0-9]+"|[a-z_0-9]+)( =\s)?`)
		for file, field := range map[string]*regexp.Regexp{
			"vector.yaml": vrl, "vector-ocsf.yaml": vrl,
			"logstash.conf": regexp.MustCompile(target + `\[([a-z_.0-9]+)\](?:" =>| ==|", )`),
		} {
			found := 0
			for _, m := range field.FindAllStringSubmatch(read(t, file), -1) {
				if len(m) > 2 && m[2] != "" {
					continue // it is made there
				}
				found++
				if name := strings.Trim(m[1], `"`); !strings.Contains(page, "| `"+name+"` |") {
					t.Errorf("%s: %s.log has no field %s", file, log, name)
				}
			}
			if found < 6 {
				t.Errorf("%s: %d fields of %s.log are mapped", file, found, log)
			}
		}
	}
}

func TestWorkedOut(t *testing.T) {
	for log, line := range map[string]string{"conn": workedConn, "anomaly": workedAnomaly} {
		have, err := object(line)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range logs.Fields(log) {
			_, ok := have[f.Name]
			if ended := f.Name == "began" || f.Name == "repeats" || f.Name == "until"; ok == ended {
				t.Errorf("%s of %s.log is in the line: %t", f.Name, log, ok)
			}
		}
		for name, m := range mappers(t, log) {
			got, err := m(line)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			want, err := object(worked[log][name])
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(any(got), any(want)) {
				text, _ := json.Marshal(got)
				t.Errorf("%s of %s.log: %s", name, log, text)
			}
		}
	}
}

// No field is lost on the way: a line without it makes another document, or none.
func TestNothingIsDropped(t *testing.T) {
	all := logLines(t)
	for log, line := range map[string]string{"conn": workedConn, "anomaly": workedAnomaly} {
		lines := append(split(all[log]), line)
		for name, m := range mappers(t, log) {
			seen := map[string]bool{}
			for i, line := range lines {
				fields, _ := object(line)
				fresh := false
				for field := range fields {
					fresh = fresh || !seen[field]
				}
				if !fresh && i%10 > 0 || line == "" {
					continue // in the interest of time
				}
				whole, err := m(line)
				if err != nil {
					t.Fatalf("%s: %v: %s", name, err, line)
				}
				for field := range fields {
					if seen[field] {
						continue
					}
					seen[field] = true
					rest := maps.Clone(fields)
					delete(rest, field)
					text, err := json.Marshal(rest)
					if err != nil {
						t.Fatal(err)
					}
					if got, err := m(string(text)); err == nil && reflect.DeepEqual(got, whole) {
						t.Errorf("%s drops %s of %s.log", name, field, log)
					}
				}
			}
			if len(seen) < len(logs.Fields(log))-3 {
				t.Errorf("%s.log: %d fields were tried", log, len(seen))
			}
		}
	}
}

// What ends a finding has the finding's name, and no two findings have one name.
func TestFindings(t *testing.T) {
	m := mappers(t, "anomaly")["vector-ocsf.yaml"]
	ended := strings.Replace(workedAnomaly, `"label":"anomalous"`, `"label":"ended","began":1795239300.0,"repeats":1,"until":1795239360.0`, 1)
	ended = strings.Replace(ended, `"ts":1795239300.0`, `"ts":1795239420.0`, 1)
	open := map[any]bool{}
	closed := 0
	for _, line := range append(split(logLines(t)["anomaly"]), workedAnomaly+"\n", ended) {
		if line == "" {
			continue
		}
		finding, err := m(line)
		if err != nil {
			t.Fatal(err)
		}
		uid := finding["finding_info"].(map[string]any)["uid"]
		if alert := strings.Contains(line, `"label":"anomalous"`); finding["is_alert"] != alert {
			t.Errorf("is_alert is %v: %s", finding["is_alert"], line)
		}
		switch finding["activity_id"] {
		case int64(1):
			if open[uid] && !strings.Contains(line, workedAnomaly) {
				t.Errorf("%s is there twice", uid)
			}
			open[uid] = true
		case int64(3):
			if closed++; !open[uid] {
				t.Errorf("%s ends and did not begin", uid)
			}
		}
	}
	if closed == 0 {
		t.Error("nothing ended")
	}
}

// The activity and direction of connections, by what conn.log says of them.
func TestActivity(t *testing.T) {
	m := mappers(t, "conn")["vector-ocsf.yaml"]
	for change, want := range map[string][2]int64{
		`"conn_state":"SF"`:               {2, 2},
		`"conn_state":"RSTR"`:             {3, 2},
		`"conn_state":"RSTOS0"`:           {3, 2},
		`"conn_state":"S0"`:               {4, 2},
		`"conn_state":"REJ"`:              {5, 2},
		`"conn_state":"S1"`:               {6, 2},
		`"conn_state":"S0","proto":"udp"`: {6, 2},
		`"conn_state":"SF","local_orig":false,"local_resp":true`:     {2, 1},
		`"conn_state":"SF","local_orig":true,"local_resp":true`:      {2, 3},
		`"conn_state":"SF","local_orig":false,"local_resp":false`:    {2, 0},
		`"conn_state":"OTH","local_orig":null,"local_resp":null`:     {6, 0},
		`"conn_state":"OTH","duration":null,"orig_bytes":null`:       {6, 2},
		`"conn_state":"RSTRH","community_id":null,"service":null`:    {3, 2},
		`"conn_state":"RSTO","tunnel_parents":null,"late_pkts":null`: {3, 2},
	} {
		doc, err := m(strings.TrimSuffix(workedConn, "}") + "," + change + "}") // the last of two values counts
		if err != nil {
			t.Fatal(err)
		}
		direction := doc["connection_info"].(map[string]any)["direction_id"]
		if doc["activity_id"] != want[0] || doc["type_uid"] != 400100+want[0] || direction != want[1] {
			t.Errorf("%s: %v and %v, want %v", change, doc["activity_id"], direction, want)
		}
	}
}
