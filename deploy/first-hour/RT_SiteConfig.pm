# Request Tracker of docs/first-hour.md, in one SQLite file below the folder that it is started in.
use Cwd;
Set($rtname, 'first-hour');
Set($Organization, 'first-hour');
Set($WebDomain, '127.0.0.1');
Set($WebPort, 8191);
Set($WebPath, '');
Set($DatabaseType, 'SQLite');
Set($DatabaseName, getcwd() . '/data/request-tracker.db');
Set($MailCommand, 'testfile');
Set($LogToSyslog, undef);
Set($LogToSTDERR, 'error');
1;
