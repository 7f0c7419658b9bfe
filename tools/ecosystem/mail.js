// A mail with STARTTLS: nodemailer to the server that SERVER names.
import { createTransport } from 'nodemailer';

const [host, port] = process.env.SERVER.split(':');
const transport = createTransport({ host, port: Number(port), tls: { rejectUnauthorized: false } });
const text = 'a line of a long letter\n'.repeat(5000);
const { accepted } = await transport.sendMail({
  from: 'us@example.org',
  to: 'them@example.org',
  subject: 'over the stack',
  text,
});
console.log(`accepted ${accepted}`);
transport.close();
