"""Runs one torrent with libtorrent on loopback and prints a line of JSON for every change of the number of pieces.

The one argument is a JSON object with what is wanted, see libtorrent.go. The program runs until its standard input
ends, or until it has the pieces that it wants if it is told to quit then.
"""
import json
import os
import sys
import threading
import time

import libtorrent

wanted = json.loads(sys.argv[1])


def end_with_input():
    sys.stdin.buffer.read()
    os._exit(0)


threading.Thread(target=end_with_input, daemon=True).start()

session = libtorrent.session({
    "listen_interfaces": wanted["listen"],
    "outgoing_interfaces": wanted["from"],
    "enable_dht": wanted["dht"],
    "dht_bootstrap_nodes": wanted["bootstrap"],
    # Looks, and announces, once in so many seconds.
    "dht_announce_interval": 5,
    # All nodes are in one network, and at ::1 at one address, which would soon be taken for an attacker's.
    "dht_block_ratelimit": 100_000,
    "dht_upload_rate_limit": 1_000_000,
    "dht_restrict_routing_ips": False,
    "dht_restrict_search_ips": False,
    "dht_prefer_verified_node_ids": False,
    "enable_lsd": False,
    "enable_natpmp": False,
    "enable_upnp": False,
    "enable_incoming_utp": wanted["utp"],
    "enable_outgoing_utp": wanted["utp"],
    "enable_incoming_tcp": wanted["tcp"],
    "enable_outgoing_tcp": wanted["tcp"],
    # Policies: 0 forced, 1 enabled. Levels: 2 RC4, 3 both.
    "in_enc_policy": 0 if wanted["encrypts"] else 1,
    "out_enc_policy": 0 if wanted["encrypts"] else 1,
    "allowed_enc_level": 2 if wanted["encrypts"] else 3,
    # Limits hold on loopback too, and are looked at ten times a second; what was not used within 3 s is lost.
    "ignore_limits_on_local_network": False,
    "tick_interval": 100,
    # Several clients share ::1.
    "allow_multiple_connections_per_ip": True,
    "announce_to_all_tiers": True,
    "announce_to_all_trackers": True,
    "unchoke_slots_limit": 100,
    "alert_mask": libtorrent.alert.category_t.piece_progress_notification
    | libtorrent.alert.category_t.status_notification
    | libtorrent.alert.category_t.error_notification
    | libtorrent.alert.category_t.tracker_notification,
})


def limit(rate):
    torrent.set_download_limit(rate)


parameters = libtorrent.add_torrent_params()
parameters.ti = libtorrent.torrent_info(wanted["torrent"])
parameters.save_path = wanted["content"]
parameters.flags &= ~(libtorrent.torrent_flags.auto_managed | libtorrent.torrent_flags.paused)
total = parameters.ti.num_pieces()
torrent = session.add_torrent(parameters)
limit(wanted["rate"])
if wanted["goal"] < total:
    torrent.prioritize_pieces([4] * wanted["goal"] + [0] * (total - wanted["goal"]))


def say(pieces):
    print(json.dumps({"time": time.time_ns(), "pieces": pieces}), flush=True)


def meet(peers):
    """Connects to peers that it is told of, and waits until one has answered. There is no alert for that."""
    for peer in peers:
        host, port = peer.rsplit(":", 1)
        torrent.connect_peer((host, int(port)))
    begun = libtorrent.peer_info.connecting | libtorrent.peer_info.handshake
    while peers and all(p.flags & begun for p in torrent.get_peer_info()):
        time.sleep(0.02)


def take(alert, pieces):
    """Gives the pieces after an alert; they are not known before the content was checked. Those that came since then are told again."""
    if isinstance(alert, libtorrent.torrent_checked_alert):
        meet(wanted["knows"] or [])
        return {i for i, has in enumerate(torrent.status().pieces) if has}
    if isinstance(alert, libtorrent.piece_finished_alert) and pieces is not None:
        return pieces | {alert.piece_index}
    if isinstance(alert, (libtorrent.torrent_error_alert, libtorrent.listen_failed_alert)):
        sys.exit(alert.message())
    if not isinstance(alert, libtorrent.piece_finished_alert):
        print(alert.message(), file=sys.stderr, flush=True)
    return pieces


# session.wait_for_alert gives a pointer into a queue that libtorrent moves while it grows: it crashes now and then.
news, notice = os.pipe()
os.set_blocking(notice, False)
session.set_alert_fd(notice)

known = None
while True:
    os.read(news, 4096)
    for alert in session.pop_alerts():
        pieces = take(alert, known)
        if pieces == known:
            continue
        known = pieces
        say(len(known))
        if len(known) == wanted["slow_from"] > 0:
            limit(wanted["slow_rate"])
        if len(known) == wanted["goal"] and wanted["quits"]:
            os._exit(0)
