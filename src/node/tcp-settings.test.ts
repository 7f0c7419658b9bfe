import assert from 'node:assert/strict';
import test from 'node:test';
import { TcpPeer } from '../testing/tcp-peer.ts';
import { TcpSettings } from './tcp-settings.ts';

test('a type of service set before there is a connection marks what it sends', () => {
  const settings = new TcpSettings();
  settings.typeOfService = 0x10;
  const tcp = TcpPeer.established();
  settings.attach(tcp.socket!);
  tcp.write('a');
  tcp.sends({ data: 'a', trafficClass: 0x10 });
  settings.typeOfService = 0x08;
  settings.setNoDelay(true);
  tcp.write('b');
  tcp.sends({ data: 'b', trafficClass: 0x08 });
  assert.equal(settings.typeOfService, 0x08);
});
