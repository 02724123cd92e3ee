import { current } from "../../account/account";
import { mount } from "../../ui/mount";
import "./admin.css";
import { AdminPage } from "./AdminPage";

if (current()) mount(AdminPage);
else location.replace("/");
